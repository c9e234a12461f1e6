import { statement, type Query, type Sql, type Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { and, asc, eq, gt, isNotNull, isNull } from "drizzle-orm";

import type { HoldFilter, HoldInfo, Page, PageOptions, RetentionClass } from "../types.ts";
import { cursorOf, pageLimit, pageOf, text } from "./pages.ts";
import { holdInfo, type HoldRow, type RetentionRow } from "./rows.ts";

/** The classes that the instance has, in the order of their definition. */
export async function listRetentionClasses(
  sql: Sql,
  { retentionClasses }: Tables,
): Promise<RetentionClass[]> {
  const rows = await sql.select().from(retentionClasses).orderBy(asc(retentionClasses.definedSeq));
  return rows.map(({ name, durationDays }) => ({
    name,
    ...(durationDays === null ? {} : { durationDays }),
  }));
}

const selectRetention = statement((sql, { retentionState }, p) =>
  sql
    .select()
    .from(retentionState)
    .where(eq(retentionState.packageId, p("packageId"))),
);

/** The retention state of a package that is known to be finalized. */
export async function findRetention(sql: Sql, packageId: string): Promise<RetentionRow> {
  const [row] = await selectRetention(sql, { packageId });
  if (row !== undefined) return row;
  throw new StoreError(
    "log_corrupt",
    `The package ${packageId} has no retention state. Rebuild the views from the log.`,
    { context: { reference: packageId } },
  );
}

const selectActiveHolds = statement((sql, { retentionHolds }, p) =>
  sql
    .select({ holdId: retentionHolds.holdId })
    .from(retentionHolds)
    .where(and(eq(retentionHolds.packageId, p("packageId")), isNull(retentionHolds.releasedAt)))
    .orderBy(asc(retentionHolds.holdId)),
);

/** The ids of the holds on a package that are not released, in order. */
export async function activeHolds(sql: Sql, packageId: string): Promise<string[]> {
  const rows = await selectActiveHolds(sql, { packageId });
  return rows.map((row) => row.holdId);
}

const cursor = cursorOf("holds", [text]);

/** Holds by id, which is about the order in which they were placed. */
export async function listHolds(
  sql: Sql,
  tables: Tables,
  filter: HoldFilter,
  options: PageOptions,
): Promise<Page<HoldInfo>> {
  const limit = pageLimit(options);
  const [after] = cursor.decode(options.cursor) ?? [""];
  const rows = await selectHolds(sql, tables, filter, { after, limit: limit + 1 });
  return pageOf(rows, limit, {
    cursor: (row) => cursor.encode([row.holdId]),
    item: holdInfo,
  });
}

/** The holds of one page. */
export function selectHolds(
  sql: Sql,
  { retentionHolds: t }: Tables,
  filter: HoldFilter,
  { after, limit }: { readonly after: string; readonly limit: number },
): Query<HoldRow[]> {
  const { packageId, released } = filter;
  return sql
    .select()
    .from(t)
    .where(
      and(
        gt(t.holdId, after),
        packageId === undefined ? undefined : eq(t.packageId, packageId),
        released === undefined
          ? undefined
          : released
            ? isNotNull(t.releasedAt)
            : isNull(t.releasedAt),
      ),
    )
    .orderBy(asc(t.holdId))
    .limit(limit);
}
