import {
  formatCoordinates,
  parseContentAddress,
  parseReference,
  type ContentAddress,
  type PackageCoordinates,
  type Reference,
} from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

/** Where a package is in its life; `open` is the only state that accepts files. */
export const packageStatusSchema = v.picklist(["open", "finalized", "yanked", "expired"]);
export type PackageStatus = v.InferOutput<typeof packageStatusSchema>;

const summaryFields = {
  reference: field.reference,
  id: field.packageId,
  namespace: field.namespace,
  name: field.name,
  version: field.version,
  variant: v.optional(field.variant),
  status: packageStatusSchema,
  revision: field.count,
  manifest_digest: v.optional(field.contentAddress),
  manifest_size: v.optional(field.count),
  file_count: field.count,
  size: field.count,
  created_at: field.time,
  created_by: field.described("Who made it: an opaque id."),
  open_until: v.optional(field.time),
  finalized_at: v.optional(field.time),
  yanked_at: v.optional(field.time),
  yank_reason: v.optional(v.string()),
  retention_class: field.name,
  metadata_schema: v.optional(v.string()),
  source: v.optional(v.string()),
  build: v.optional(v.string()),
};

/** A package without its metadata. */
export const packageSummarySchema = v.object(summaryFields);
export type PackageSummaryJson = v.InferOutput<typeof packageSummarySchema>;

/** A package. */
export const packageSchema = v.object({ ...summaryFields, metadata: v.optional(field.jsonObject) });
export type PackageJson = v.InferOutput<typeof packageSchema>;

/** Any JSON object, for metadata and schemas. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A package without its metadata. Times are RFC 3339 UTC with milliseconds. */
export interface PackageSummary extends PackageCoordinates {
  readonly id: string;
  readonly status: PackageStatus;
  readonly revision: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly retentionClass: string;
  readonly metadataSchema?: string;
  readonly source?: string;
  readonly build?: string;
  readonly openUntil?: string;
  readonly finalizedAt?: string;
  readonly manifestDigest?: ContentAddress;
  readonly manifestSizeBytes?: number;
  readonly yankedAt?: string;
  readonly yankReason?: string;
}

/** A package with its metadata. */
export interface PackageInfo extends PackageSummary {
  readonly metadata?: JsonObject;
}

/** What a package is made with. */
export const createPackageSchema = v.strictObject({
  namespace: field.namespace,
  name: field.name,
  version: field.version,
  variant: v.optional(field.variant),
  metadata: v.optional(field.jsonObject),
  metadata_schema: v.optional(
    field.described("`name` or `name@revision` of a metadata schema that the metadata satisfies."),
  ),
  retention_class: v.optional(field.name),
  source: v.optional(field.described("Where the files come from, e.g. a repository and commit.")),
  build: v.optional(field.described("What built the files, e.g. a job's address.")),
});
export type CreatePackageJson = v.InferOutput<typeof createPackageSchema>;

export interface CreatePackageInput extends PackageCoordinates {
  readonly metadata?: JsonObject;
  readonly metadataSchema?: string;
  readonly retentionClass?: string;
  readonly source?: string;
  readonly build?: string;
}

export const yankSchema = v.strictObject({ reason: v.optional(v.string()) });

export const resolvedSchema = v.object({
  reference: field.reference,
  package: packageSchema,
  warnings: v.array(v.string()),
});
export type ResolvedJson = v.InferOutput<typeof resolvedSchema>;

export interface ResolvedPackage {
  readonly reference: Reference;
  readonly package: PackageInfo;
  /** What the caller should be told, e.g. that the package was yanked and why. */
  readonly warnings: readonly string[];
}

export const finalizedSchema = v.object({
  package: packageSummarySchema,
  manifest_digest: field.contentAddress,
});

export function encodePackageSummary(info: PackageSummary): PackageSummaryJson {
  return {
    reference: formatCoordinates(info),
    id: info.id,
    namespace: info.namespace,
    name: info.name,
    version: info.version,
    variant: info.variant,
    status: info.status,
    revision: info.revision,
    manifest_digest: info.manifestDigest,
    manifest_size: info.manifestSizeBytes,
    file_count: info.fileCount,
    size: info.sizeBytes,
    created_at: info.createdAt,
    created_by: info.createdBy,
    open_until: info.openUntil,
    finalized_at: info.finalizedAt,
    yanked_at: info.yankedAt,
    yank_reason: info.yankReason,
    retention_class: info.retentionClass,
    metadata_schema: info.metadataSchema,
    source: info.source,
    build: info.build,
  };
}

export function encodePackage(info: PackageInfo): PackageJson {
  return { ...encodePackageSummary(info), metadata: info.metadata };
}

export function decodePackageSummary(json: PackageSummaryJson): PackageSummary {
  const { manifest_digest } = json;
  return present({
    id: json.id,
    namespace: json.namespace,
    name: json.name,
    version: json.version,
    variant: json.variant,
    status: json.status,
    revision: json.revision,
    createdAt: json.created_at,
    createdBy: json.created_by,
    fileCount: json.file_count,
    sizeBytes: json.size,
    retentionClass: json.retention_class,
    metadataSchema: json.metadata_schema,
    source: json.source,
    build: json.build,
    openUntil: json.open_until,
    finalizedAt: json.finalized_at,
    manifestDigest:
      manifest_digest === undefined ? undefined : parseContentAddress(manifest_digest),
    manifestSizeBytes: json.manifest_size,
    yankedAt: json.yanked_at,
    yankReason: json.yank_reason,
  });
}

export function decodePackage(json: PackageJson): PackageInfo {
  const { metadata } = json;
  return {
    ...decodePackageSummary(json),
    // It came as JSON, and so is JSON.
    ...(metadata === undefined ? {} : { metadata: metadata as JsonObject }),
  };
}

export function encodeCreatePackage(input: CreatePackageInput): CreatePackageJson {
  return {
    namespace: input.namespace,
    name: input.name,
    version: input.version,
    variant: input.variant,
    metadata: input.metadata,
    metadata_schema: input.metadataSchema,
    retention_class: input.retentionClass,
    source: input.source,
    build: input.build,
  };
}

export function decodeCreatePackage(json: CreatePackageJson): CreatePackageInput {
  return present({
    namespace: json.namespace,
    name: json.name,
    version: json.version,
    variant: json.variant,
    // It came as JSON, and so is JSON.
    metadata: json.metadata as JsonObject | undefined,
    metadataSchema: json.metadata_schema,
    retentionClass: json.retention_class,
    source: json.source,
    build: json.build,
  });
}

export function decodeResolved(json: ResolvedJson): ResolvedPackage {
  const { reference, warnings } = json;
  return { reference: parseReference(reference), package: decodePackage(json.package), warnings };
}
