import { formatCoordinates, parseContentAddress, type ContentAddress } from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";
import { packageSummarySchema } from "./package.ts";

/** A `namespace/name` that has at least one finalized package. */
export const nameSchema = v.object({
  namespace: field.namespace,
  name: field.name,
  package_count: field.count,
  updated_at: field.time,
});
export type NameJson = v.InferOutput<typeof nameSchema>;

export interface NameInfo {
  readonly namespace: string;
  readonly name: string;
  readonly finalizedCount: number;
  readonly updatedAt: string;
}

/** A tag and the package that it targets. */
export const tagSchema = v.object({
  namespace: field.namespace,
  name: field.name,
  tag: field.tagName,
  reference: field.reference,
  package_id: field.packageId,
  version: field.version,
  variant: v.optional(field.variant),
  manifest_digest: field.contentAddress,
  set_at: field.time,
  set_by: v.string(),
});
export type TagJson = v.InferOutput<typeof tagSchema>;

export interface TagInfo {
  readonly namespace: string;
  readonly name: string;
  readonly tag: string;
  readonly packageId: string;
  readonly version: string;
  readonly variant?: string;
  readonly manifestDigest: ContentAddress;
  readonly setAt: string;
  readonly setBy: string;
}

export const setTagSchema = v.strictObject({ package_id: field.packageId });

/** Everything that is known of a name; its lists go on at `…/versions` and `…/tags`. */
export const nameDetailsSchema = v.object({
  namespace: field.namespace,
  name: field.name,
  latest: v.optional(packageSummarySchema),
  versions: field.pageOf(packageSummarySchema),
  tags: field.pageOf(tagSchema),
});

export function encodeName(info: NameInfo): NameJson {
  return {
    namespace: info.namespace,
    name: info.name,
    package_count: info.finalizedCount,
    updated_at: info.updatedAt,
  };
}

export function decodeName(json: NameJson): NameInfo {
  return {
    namespace: json.namespace,
    name: json.name,
    finalizedCount: json.package_count,
    updatedAt: json.updated_at,
  };
}

export function encodeTag(tag: TagInfo): TagJson {
  return {
    namespace: tag.namespace,
    name: tag.name,
    tag: tag.tag,
    reference: formatCoordinates(tag),
    package_id: tag.packageId,
    version: tag.version,
    variant: tag.variant,
    manifest_digest: tag.manifestDigest,
    set_at: tag.setAt,
    set_by: tag.setBy,
  };
}

export function decodeTag(json: TagJson): TagInfo {
  return present({
    namespace: json.namespace,
    name: json.name,
    tag: json.tag,
    packageId: json.package_id,
    version: json.version,
    variant: json.variant,
    manifestDigest: parseContentAddress(json.manifest_digest),
    setAt: json.set_at,
    setBy: json.set_by,
  });
}
