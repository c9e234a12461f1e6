import type { Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { and, eq, isNull } from "drizzle-orm";

import type { Decide } from "./run.ts";
import { findPackage, rowReference } from "../queries/find.ts";
import { holdInfo, type PackageRow } from "../queries/rows.ts";
import { rowSubject } from "../events/subjects.ts";
import type { HoldInfo } from "../types.ts";

/** Keeps a package from being collected, whatever its class says, until it is released. */
export function placeHold(command: {
  readonly holdId: string;
  readonly packageId: string;
  readonly reason: string;
}): Decide<HoldInfo> {
  return async ({ sql }) => {
    const row = await findPackage(sql, command.packageId);
    return {
      events: [
        {
          type: "v1.hold.placed",
          subject: rowSubject(row),
          payload: {
            hold_id: command.holdId,
            package_id: command.packageId,
            reason: command.reason,
          },
        },
      ],
      answer: async (view) => holdInfo(await findHold(view.sql, view.tables, command.holdId)),
    };
  };
}

/** Releases a hold; `hold_conflict` where it was released before. */
export function releaseHold(holdId: string): Decide<HoldInfo> {
  return async ({ sql, tables }) => {
    const hold = await findHold(sql, tables, holdId);
    if (hold.releasedAt !== null) {
      throw new StoreError(
        "hold_conflict",
        `The hold ${holdId} was released at ${hold.releasedAt} by ${hold.releasedBy}.`,
        { context: { actual: hold.releasedAt } },
      );
    }
    const row = await findPackage(sql, hold.packageId);
    return {
      events: [
        {
          type: "v1.hold.released",
          subject: rowSubject(row),
          payload: { hold_id: holdId, package_id: hold.packageId },
        },
      ],
      answer: async (view) => holdInfo(await findHold(view.sql, view.tables, holdId)),
    };
  };
}

/** The ids of the holds on a package that are not released, in order. */
export async function activeHolds(
  sql: Sql,
  { retentionHolds }: Tables,
  packageId: string,
): Promise<string[]> {
  const rows = await sql
    .select({ holdId: retentionHolds.holdId })
    .from(retentionHolds)
    .where(and(eq(retentionHolds.packageId, packageId), isNull(retentionHolds.releasedAt)))
    .orderBy(retentionHolds.holdId);
  return rows.map((row) => row.holdId);
}

/** Throws `hold_conflict` where a hold protects the package. */
export async function refuseHeld(sql: Sql, tables: Tables, row: PackageRow): Promise<void> {
  const holds = await activeHolds(sql, tables, row.packageId);
  if (holds.length === 0) return;
  throw new StoreError(
    "hold_conflict",
    `${rowReference(row)} is held (${holds.join(", ")}). Release its holds first.`,
    { context: { reference: rowReference(row), candidates: holds } },
  );
}

async function findHold(sql: Sql, { retentionHolds }: Tables, holdId: string) {
  const [row] = await sql.select().from(retentionHolds).where(eq(retentionHolds.holdId, holdId));
  if (row !== undefined) return row;
  throw new StoreError("hold_not_found", `There is no hold with the id "${holdId.slice(0, 64)}".`);
}
