import type { Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { eq } from "drizzle-orm";

import type { Decide } from "./run.ts";
import { findFinalizedPackage, findRetentionClass } from "../queries/find.ts";
import { retentionInfo } from "../queries/rows.ts";
import { rowSubject } from "../events/subjects.ts";
import { addDays } from "../times.ts";
import type { RetentionInfo } from "../types.ts";

/** Gives a finalized package another class; its time runs from when it was finalized. */
export function setRetention(packageId: string, retentionClass: string): Decide<RetentionInfo> {
  return async ({ sql, tables }) => {
    const row = await findFinalizedPackage(sql, packageId);
    const { durationDays } = await findRetentionClass(sql, retentionClass);
    const expiresAt = expiry(row.finalizedAt, durationDays);
    const current = await findRetention(sql, tables, packageId);
    const unchanged =
      current.retentionClass === retentionClass && current.expiresAt === (expiresAt ?? null);
    return {
      events: unchanged
        ? []
        : [
            {
              type: "v1.retention.set",
              subject: rowSubject(row),
              payload: {
                package_id: packageId,
                retention_class: retentionClass,
                expires_at: expiresAt,
              },
            },
          ],
      answer: async (view) => retentionInfo(await findRetention(view.sql, view.tables, packageId)),
    };
  };
}

/** When a package finalized at `from` expires under a class, or undefined for never. */
export function expiry(from: string | null, durationDays: number | null): string | undefined {
  return from === null || durationDays === null ? undefined : addDays(from, durationDays);
}

/** The retention state of a finalized package. */
export async function findRetention(sql: Sql, { retentionState }: Tables, packageId: string) {
  const [row] = await sql
    .select()
    .from(retentionState)
    .where(eq(retentionState.packageId, packageId));
  if (row !== undefined) return row;
  throw new StoreError(
    "package_not_finalized",
    `The package ${packageId} has no retention state before it is finalized.`,
  );
}
