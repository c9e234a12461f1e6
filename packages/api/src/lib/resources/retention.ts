import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

/** How long packages of a class are kept. */
export const retentionClassSchema = v.object({
  name: field.name,
  duration_days: v.optional(field.count),
});
export type RetentionClassJson = v.InferOutput<typeof retentionClassSchema>;

export interface RetentionClass {
  readonly name: string;
  /** Whole days from finalizing; absent means for ever. */
  readonly durationDays?: number;
}

/** How long a package is kept. */
export const retentionSchema = v.object({
  package_id: field.packageId,
  class: field.name,
  expires_at: v.optional(field.time),
  set_at: field.time,
  set_by: v.string(),
});
export type RetentionJson = v.InferOutput<typeof retentionSchema>;

export interface RetentionInfo {
  readonly packageId: string;
  readonly retentionClass: string;
  readonly expiresAt?: string;
  readonly setAt: string;
  readonly setBy: string;
}

export const setRetentionSchema = v.strictObject({ class: field.name });

/** A hold, which keeps a package from being collected. */
export const holdSchema = v.object({
  id: field.id,
  package_id: field.packageId,
  reason: v.string(),
  placed_at: field.time,
  placed_by: v.string(),
  released_at: v.optional(field.time),
  released_by: v.optional(v.string()),
});
export type HoldJson = v.InferOutput<typeof holdSchema>;

export interface HoldInfo {
  readonly id: string;
  readonly packageId: string;
  readonly reason: string;
  readonly placedAt: string;
  readonly placedBy: string;
  readonly releasedAt?: string;
  readonly releasedBy?: string;
}

export const placeHoldSchema = v.strictObject({ reason: v.string() });

export function encodeRetentionClass(one: RetentionClass): RetentionClassJson {
  return { name: one.name, duration_days: one.durationDays };
}

export function decodeRetentionClass(json: RetentionClassJson): RetentionClass {
  return present({ name: json.name, durationDays: json.duration_days });
}

export function encodeRetention(retention: RetentionInfo): RetentionJson {
  return {
    package_id: retention.packageId,
    class: retention.retentionClass,
    expires_at: retention.expiresAt,
    set_at: retention.setAt,
    set_by: retention.setBy,
  };
}

export function decodeRetention(json: RetentionJson): RetentionInfo {
  return present({
    packageId: json.package_id,
    retentionClass: json.class,
    expiresAt: json.expires_at,
    setAt: json.set_at,
    setBy: json.set_by,
  });
}

export function encodeHold(hold: HoldInfo): HoldJson {
  return {
    id: hold.id,
    package_id: hold.packageId,
    reason: hold.reason,
    placed_at: hold.placedAt,
    placed_by: hold.placedBy,
    released_at: hold.releasedAt,
    released_by: hold.releasedBy,
  };
}

export function decodeHold(json: HoldJson): HoldInfo {
  return present({
    id: json.id,
    packageId: json.package_id,
    reason: json.reason,
    placedAt: json.placed_at,
    placedBy: json.placed_by,
    releasedAt: json.released_at,
    releasedBy: json.released_by,
  });
}
