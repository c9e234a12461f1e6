import { statement, type Sql } from "@store/database";
import { StoreError } from "@store/identity";
import { eq } from "drizzle-orm";

import { isId, shown } from "../arguments.ts";
import { rowSubject } from "../events/subjects.ts";
import { limits } from "../limits.ts";
import { placedHoldRow, releasedHold } from "../projections/holds.ts";
import { findPackage, isCovered, rowReference } from "../queries/find.ts";
import { activeHolds } from "../queries/retention.ts";
import { holdInfo, type HoldRow, type PackageRow } from "../queries/rows.ts";
import type { Scope } from "../scope.ts";
import { together } from "../together.ts";
import type { HoldInfo } from "../types.ts";
import { changed, type Decide } from "./decision.ts";

/** Keeps a package from being collected, whatever its class says, until it is released. */
export function placeHold(command: {
  readonly holdId: string;
  readonly packageId: string;
  readonly reason: string;
}): Decide<HoldInfo> {
  return async ({ sql }) => {
    const { holdId, packageId, reason } = command;
    const [row, holds] = await together([findPackage(sql, packageId), activeHolds(sql, packageId)]);
    if (holds.length >= limits.holdsPerPackage) throw tooManyHolds(row);
    return changed(
      {
        type: "v1.hold.placed",
        subject: rowSubject(row),
        payload: { hold_id: holdId, package_id: packageId, reason },
      },
      (event) => holdInfo(placedHoldRow(event)),
    );
  };
}

/** Releases a hold; `hold_conflict` where it was released before. */
export function releaseHold(holdId: string): Decide<HoldInfo> {
  return async ({ sql }) => {
    const hold = await findHold(sql, holdId);
    if (hold.releasedAt !== null) {
      throw new StoreError(
        "hold_conflict",
        `The hold ${holdId} was released at ${hold.releasedAt} by ${hold.releasedBy}.`,
        { context: { actual: hold.releasedAt } },
      );
    }
    const row = await findPackage(sql, hold.packageId);
    return changed(
      {
        type: "v1.hold.released",
        subject: rowSubject(row),
        payload: { hold_id: holdId, package_id: hold.packageId },
      },
      (event) => holdInfo({ ...hold, ...releasedHold(event) }),
    );
  };
}

/** Throws `hold_conflict` where a hold protects the package. */
export async function refuseHeld(sql: Sql, row: PackageRow): Promise<void> {
  const holds = await activeHolds(sql, row.packageId);
  if (holds.length === 0) return;
  const some = holds.length > 3 ? [...holds.slice(0, 3), "…"] : holds;
  throw new StoreError(
    "hold_conflict",
    `${rowReference(row)} is held (${some.join(", ")}). Release its holds first.`,
    { context: { reference: rowReference(row), candidates: holds } },
  );
}

const selectHold = statement((sql, { retentionHolds }, p) =>
  sql
    .select()
    .from(retentionHolds)
    .where(eq(retentionHolds.holdId, p("holdId"))),
);

async function findHold(sql: Sql, holdId: string): Promise<HoldRow> {
  const [row] = isId("hold id", holdId) ? await selectHold(sql, { holdId }) : [];
  if (row !== undefined) return row;
  throw unknownHold(holdId);
}

/** A hold; `hold_not_found` also for one on a package that the scope does not cover. */
export async function readHold(sql: Sql, holdId: string, scope: Scope): Promise<HoldInfo> {
  await refuseUncoveredHold(sql, holdId, scope);
  return holdInfo(await findHold(sql, holdId));
}

/** Refuses a hold on a package that the scope does not cover, as one that is not there. */
export async function refuseUncoveredHold(sql: Sql, holdId: string, scope: Scope): Promise<void> {
  if (scope.ranges === undefined) return;
  const { packageId } = await findHold(sql, holdId);
  if (!(await isCovered(sql, packageId, scope))) throw unknownHold(holdId);
}

function unknownHold(holdId: string): StoreError {
  return new StoreError("hold_not_found", `There is no hold with the id ${shown(holdId)}.`, {
    context: { actual: holdId.slice(0, 80) },
  });
}

function tooManyHolds(row: PackageRow): StoreError {
  const reference = rowReference(row);
  return new StoreError(
    "limit_exceeded",
    `${reference} has ${limits.holdsPerPackage} holds, and a manifest lists no more. Release one.`,
    { context: { reference, limit: limits.holdsPerPackage } },
  );
}
