import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

/** A backend that is configured. */
export const backendSchema = v.object({
  name: field.backendName,
  kind: field.described("What kind of place it is, e.g. `local`, `s3`."),
  place: v.optional(field.described("Where it is, e.g. `s3://bucket/prefix`.")),
  use: v.pipe(
    v.picklist(["primary", "mirror", "other"]),
    v.description("`primary`: new objects go there; `mirror`: it gets a copy of every object."),
  ),
  status: v.pipe(
    v.picklist(["ok", "failed"]),
    v.description(
      "What was found when it was last used; the instance's health says how it is now.",
    ),
  ),
  reason: v.optional(field.described("Why it failed: an error code.")),
  changed_at: v.optional(field.time),
  damaged_count: v.pipe(
    field.count,
    v.description("Copies that were found missing or corrupt, and are not mended."),
  ),
});
export type BackendJson = v.InferOutput<typeof backendSchema>;

/** A backend that is configured. */
export interface BackendInfo {
  readonly name: string;
  /** What kind of place it is, e.g. `local`, `s3`. */
  readonly kind: string;
  /** Where it is, e.g. `s3://bucket/prefix`, where the server says so. */
  readonly place?: string;
  /** `primary`: new objects go there; `mirror`: it gets a copy of every object. */
  readonly use: "primary" | "mirror" | "other";
  /** What was last found when it was used. */
  readonly status: "ok" | "failed";
  /** Why it failed, as an error code. */
  readonly reason?: string;
  /** Since when, where the status has ever changed. */
  readonly changedAt?: string;
  /** How many of its copies were found missing or corrupt, and are not mended. */
  readonly damagedCopies: number;
}

export function encodeBackend(backend: BackendInfo): BackendJson {
  const { changedAt, damagedCopies, ...same } = backend;
  return { ...same, changed_at: changedAt, damaged_count: damagedCopies };
}

export function decodeBackend(json: BackendJson): BackendInfo {
  const { changed_at, damaged_count, ...same } = json;
  return present({ ...same, changedAt: changed_at, damagedCopies: damaged_count });
}
