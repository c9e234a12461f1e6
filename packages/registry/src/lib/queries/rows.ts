import type { Row, Tables } from "@store/database";
import { contentAddress, Digest, parseContentAddress } from "@store/identity";
import { getColumns } from "drizzle-orm";

import type {
  FileInfo,
  HoldInfo,
  JsonObject,
  MetadataSchemaInfo,
  MetadataSchemaSummary,
  PackageInfo,
  PackageSummary,
  RetentionInfo,
} from "../types.ts";

/** Rows of the views as the registry's callers see them. */

/** A package without its metadata, which may be large and is read where it is asked for only. */
export type PackageRow = Omit<Row<"artifactPackages">, "metadata">;

type PackageColumns = Omit<Tables["artifactPackages"]["_"]["columns"], "metadata">;

/** The columns of a {@link PackageRow}. */
export function packageColumns({ artifactPackages }: Tables): PackageColumns {
  const { metadata: _, ...columns } = getColumns(artifactPackages);
  return columns;
}

export type FileRow = Row<"artifactFiles">;
export type HoldRow = Row<"retentionHolds">;
export type RetentionRow = Row<"retentionState">;
type SchemaRow = Row<"metadataSchemas">;

const decoder = new TextDecoder();

/** An object without the members that are null. */
function present<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const result: { [K in keyof T]?: NonNullable<T[K]> } = {};
  for (const key in members) {
    const value = members[key];
    if (value !== null && value !== undefined) result[key] = value;
  }
  return result;
}

export function packageSummary(row: PackageRow): PackageSummary {
  return {
    id: row.packageId,
    namespace: row.namespace,
    name: row.name,
    version: row.version,
    ...(row.variant === "" ? {} : { variant: row.variant }),
    status: row.status,
    revision: row.revision,
    createdAt: row.createdAt,
    createdBy: row.createdBy,
    fileCount: row.fileCount,
    sizeBytes: row.sizeBytes,
    retentionClass: row.retentionClass,
    ...(row.manifestDigest === null
      ? {}
      : { manifestDigest: parseContentAddress(row.manifestDigest) }),
    ...present({
      metadataSchema: row.metadataSchema,
      source: row.source,
      build: row.build,
      openUntil: row.openExpiresAt,
      finalizedAt: row.finalizedAt,
      manifestSizeBytes: row.manifestSize,
      yankedAt: row.yankedAt,
      yankReason: row.yankReason,
    }),
  };
}

export function packageInfo(row: PackageRow, metadata: Uint8Array | null): PackageInfo {
  const summary = packageSummary(row);
  return metadata === null ? summary : { ...summary, metadata: jsonObject(metadata) };
}

export function fileInfo(row: FileRow): FileInfo {
  return {
    path: row.path,
    sizeBytes: row.sizeBytes,
    ...present({ mediaType: row.mediaType }),
    executable: row.executable,
    address: parseContentAddress(row.contentAddress),
    sha256: contentAddress(Digest.of("sha256", row.digestSha256)),
  };
}

export function holdInfo(row: HoldRow): HoldInfo {
  return {
    id: row.holdId,
    packageId: row.packageId,
    reason: row.reason,
    placedAt: row.placedAt,
    placedBy: row.placedBy,
    ...present({ releasedAt: row.releasedAt, releasedBy: row.releasedBy }),
  };
}

export function retentionInfo(row: RetentionRow): RetentionInfo {
  return {
    packageId: row.packageId,
    retentionClass: row.retentionClass,
    ...present({ expiresAt: row.expiresAt }),
    setAt: row.setAt,
    setBy: row.setBy,
  };
}

export function schemaSummary(row: Omit<SchemaRow, "schema">): MetadataSchemaSummary {
  return {
    name: row.name,
    revision: row.revision,
    digest: parseContentAddress(row.digest),
    registeredAt: row.registeredAt,
    registeredBy: row.registeredBy,
  };
}

export function schemaInfo(row: SchemaRow): MetadataSchemaInfo {
  return { ...schemaSummary(row), schema: jsonObject(row.schema) };
}

/** JSON that the registry wrote as canonical bytes. */
function jsonObject(bytes: Uint8Array): JsonObject {
  return JSON.parse(decoder.decode(bytes)) as JsonObject;
}
