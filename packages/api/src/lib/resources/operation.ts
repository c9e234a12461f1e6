import { parseContentAddress, type ContentAddress } from "@store/identity";
import * as v from "valibot";

import * as field from "../fields.ts";
import { present } from "../present.ts";

/** What verifying a package found. */
export const verifyReportSchema = v.object({
  reference: field.reference,
  package_id: field.packageId,
  file_count: field.count,
  size: field.count,
  problems: v.array(
    v.object({
      code: v.picklist(["object_corrupt", "object_not_found", "log_corrupt"]),
      path: v.optional(v.string()),
      content_address: v.optional(field.contentAddress),
      backend: v.optional(v.string()),
      message: v.string(),
    }),
  ),
});
export type VerifyReportJson = v.InferOutput<typeof verifyReportSchema>;

/** What is wrong with one object of a package. */
export interface VerifyProblem {
  readonly path?: string;
  readonly address?: ContentAddress;
  /** The backend whose copy it is, where another copy is whole; absent where none is. */
  readonly backend?: string;
  readonly code: "object_corrupt" | "object_not_found" | "log_corrupt";
  readonly message: string;
}

export interface VerifyReport {
  readonly packageId: string;
  readonly reference: string;
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly problems: readonly VerifyProblem[];
}

/** What a sweep discarded. */
export const sweepReportSchema = v.object({
  staged_discarded: field.count,
  staged_bytes: field.count,
  packages_expired: field.count,
  leases_removed: field.count,
  idempotency_keys_removed: field.count,
  uploads_expired: field.count,
});
export type SweepReportJson = v.InferOutput<typeof sweepReportSchema>;

export interface SweepReport {
  readonly stagedDiscarded: number;
  readonly stagedBytes: number;
  readonly packagesExpired: number;
  readonly leasesRemoved: number;
  readonly idempotencyKeysRemoved: number;
  readonly uploadsExpired: number;
}

export const replaySchema = v.strictObject({
  check: v.optional(
    v.pipe(v.boolean(), v.description("Only compares the views with the events; changes nothing.")),
  ),
});

const rowValues = v.record(v.string(), v.union([v.string(), v.number(), v.null()]));

/** What replaying found. */
export const replayReportSchema = v.object({
  events: field.count,
  differences: v.array(
    v.object({
      table: v.string(),
      count: field.count,
      sample: v.array(
        v.object({ key: rowValues, live: v.optional(rowValues), rebuilt: v.optional(rowValues) }),
      ),
    }),
  ),
});
export type ReplayReportJson = v.InferOutput<typeof replayReportSchema>;

/** Whether each part of the instance works. */
export const healthSchema = v.object({
  healthy: v.boolean(),
  database: v.object({
    healthy: v.boolean(),
    dialect: v.string(),
    reason: v.optional(v.string()),
    schema_version: v.optional(field.count),
  }),
  log: v.object({
    healthy: v.boolean(),
    size: field.count,
    root: v.string(),
    reason: v.optional(v.string()),
  }),
  backends: v.record(
    v.string(),
    v.object({
      healthy: v.boolean(),
      kind: v.string(),
      free_bytes: v.optional(field.count),
      total_bytes: v.optional(field.count),
      reason: v.optional(v.string()),
    }),
  ),
});
export type HealthJson = v.InferOutput<typeof healthSchema>;

export interface HealthReport {
  readonly healthy: boolean;
  readonly database: {
    readonly healthy: boolean;
    readonly dialect: string;
    readonly reason?: string;
  };
  readonly log: {
    readonly healthy: boolean;
    readonly size: number;
    readonly root: string;
    readonly reason?: string;
  };
  readonly backends: Readonly<
    Record<
      string,
      { healthy: boolean; kind: string; freeBytes?: number; totalBytes?: number; reason?: string }
    >
  >;
}

export function encodeVerifyReport(report: VerifyReport): VerifyReportJson {
  return {
    reference: report.reference,
    package_id: report.packageId,
    file_count: report.fileCount,
    size: report.sizeBytes,
    problems: report.problems.map((problem) => ({
      code: problem.code,
      path: problem.path,
      content_address: problem.address,
      backend: problem.backend,
      message: problem.message,
    })),
  };
}

export function decodeVerifyReport(json: VerifyReportJson): VerifyReport {
  return {
    packageId: json.package_id,
    reference: json.reference,
    fileCount: json.file_count,
    sizeBytes: json.size,
    problems: json.problems.map(({ code, path, content_address, backend, message }) =>
      present({
        code,
        path,
        address: content_address === undefined ? undefined : parseContentAddress(content_address),
        backend,
        message,
      }),
    ),
  };
}

export function encodeSweepReport(report: SweepReport): SweepReportJson {
  return {
    staged_discarded: report.stagedDiscarded,
    staged_bytes: report.stagedBytes,
    packages_expired: report.packagesExpired,
    leases_removed: report.leasesRemoved,
    idempotency_keys_removed: report.idempotencyKeysRemoved,
    uploads_expired: report.uploadsExpired,
  };
}

export function decodeSweepReport(json: SweepReportJson): SweepReport {
  return {
    stagedDiscarded: json.staged_discarded,
    stagedBytes: json.staged_bytes,
    packagesExpired: json.packages_expired,
    leasesRemoved: json.leases_removed,
    idempotencyKeysRemoved: json.idempotency_keys_removed,
    uploadsExpired: json.uploads_expired,
  };
}

export function encodeHealth(report: HealthReport): HealthJson {
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
    database: {
      healthy: report.database.healthy,
      dialect: report.database.dialect,
      reason: report.database.reason,
    },
    log: {
      healthy: report.log.healthy,
      size: report.log.size,
      root: report.log.root,
      reason: report.log.reason,
    },
    backends: Object.fromEntries(backends),
  };
}

export function decodeHealth(json: HealthJson): HealthReport {
  const { dialect, healthy, reason } = json.database;
  const backends = Object.entries(json.backends).map(([role, health]) => [
    role,
    present({
      healthy: health.healthy,
      kind: health.kind,
      freeBytes: health.free_bytes,
      totalBytes: health.total_bytes,
      reason: health.reason,
    }),
  ]);
  return {
    healthy: json.healthy,
    database: present({ healthy, dialect, reason }),
    log: present(json.log),
    backends: Object.fromEntries(backends),
  };
}
