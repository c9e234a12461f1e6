import { formatCoordinates } from "@store/identity";
import type {
  FileInfo,
  HealthReport,
  HoldInfo,
  MetadataSchemaInfo,
  MetadataSchemaSummary,
  NameInfo,
  PackageInfo,
  RetentionClass,
  RetentionInfo,
  SweepReport,
  TagInfo,
  VerifyReport,
} from "@store/registry";

/*
 * What `--json` prints. Names are those of the manifest: snake case, sizes in bytes, times in RFC
 * 3339. Fields that are absent are left out, never null.
 */

export function packageJson(info: PackageInfo): object {
  return {
    reference: formatCoordinates(info),
    id: info.id,
    namespace: info.namespace,
    name: info.name,
    version: info.version,
    variant: info.variant,
    status: info.status,
    manifest_digest: info.manifestDigest,
    manifest_size: info.manifestSizeBytes,
    file_count: info.fileCount,
    size: info.sizeBytes,
    created_at: info.createdAt,
    created_by: info.createdBy,
    finalized_at: info.finalizedAt,
    yanked_at: info.yankedAt,
    yank_reason: info.yankReason,
    retention_class: info.retentionClass,
    metadata: info.metadata,
    metadata_schema: info.metadataSchema,
    source: info.source,
    build: info.build,
  };
}

export function fileJson(file: FileInfo): object {
  return {
    path: file.path,
    size: file.sizeBytes,
    executable: file.executable,
    media_type: file.mediaType,
    content_address: file.address,
    sha256: file.sha256,
  };
}

export function nameJson(info: NameInfo): object {
  return {
    namespace: info.namespace,
    name: info.name,
    package_count: info.finalizedCount,
    updated_at: info.updatedAt,
  };
}

export function tagJson(tag: TagInfo): object {
  return {
    tag: tag.tag,
    reference: formatCoordinates(tag),
    package_id: tag.packageId,
    manifest_digest: tag.manifestDigest,
    set_at: tag.setAt,
    set_by: tag.setBy,
  };
}

export function holdJson(hold: HoldInfo): object {
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

export function retentionJson(retention: RetentionInfo): object {
  return {
    package_id: retention.packageId,
    class: retention.retentionClass,
    expires_at: retention.expiresAt,
    set_at: retention.setAt,
    set_by: retention.setBy,
  };
}

export function retentionClassJson(retentionClass: RetentionClass): object {
  return { name: retentionClass.name, duration_days: retentionClass.durationDays };
}

export function schemaSummaryJson(schema: MetadataSchemaSummary): object {
  return {
    name: schema.name,
    revision: schema.revision,
    digest: schema.digest,
    registered_at: schema.registeredAt,
    registered_by: schema.registeredBy,
  };
}

export function schemaJson(schema: MetadataSchemaInfo): object {
  return { ...schemaSummaryJson(schema), schema: schema.schema };
}

export function verifyJson(report: VerifyReport): object {
  return {
    reference: report.reference,
    package_id: report.packageId,
    file_count: report.fileCount,
    size: report.sizeBytes,
    problems: report.problems.map((problem) => ({
      code: problem.code,
      path: problem.path,
      content_address: problem.address,
      message: problem.message,
    })),
  };
}

export function sweepJson(report: SweepReport): object {
  return {
    staged_discarded: report.stagedDiscarded,
    staged_bytes: report.stagedBytes,
    packages_expired: report.packagesExpired,
    leases_removed: report.leasesRemoved,
    idempotency_keys_removed: report.idempotencyKeysRemoved,
    uploads_expired: report.uploadsExpired,
  };
}

export function healthJson(report: HealthReport): object {
  const backends = Object.entries(report.backends).map(([role, health]) => [
    role,
    {
      healthy: health.healthy,
      kind: health.kind,
      free_bytes: health.freeBytes,
      total_bytes: health.totalBytes,
      reason: health.reason,
    },
  ]);
  return {
    healthy: report.healthy,
    database: report.database,
    log: report.log,
    backends: Object.fromEntries(backends),
  };
}
