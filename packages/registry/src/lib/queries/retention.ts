import { statement, type Query, type Sql, type Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { and, asc, eq, gt, isNotNull, isNull, type SQL } from "drizzle-orm";

import type { Scope } from "../scope.ts";
import type { HoldFilter, HoldInfo, Page, PageOptions, RetentionClass } from "../types.ts";
import { isCovered } from "./find.ts";
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
  scope: Scope,
): Promise<Page<HoldInfo>> {
  const limit = pageLimit(options);
  const [after] = cursor.decode(options.cursor) ?? [""];
  const page = { after, limit: limit + 1 };
  const rows =
    scope.ranges === undefined
      ? await selectHolds(sql, tables, filter, page)
      : await readCoveredHolds({ sql, tables }, filter, page, scope);
  return pageOf(rows, limit, {
    cursor: (row) => cursor.encode([row.holdId]),
    item: holdInfo,
  });
}

/** Where a page of holds begins and how many it reads. */
interface HoldPage {
  readonly after: string;
  readonly limit: number;
}

/** Holds read at once, of which only those of readable packages are kept. */
const holdsAtOnce = 1_000;

/** The next holds that a scope covers: whatever lies between them is read and left out. */
async function readCoveredHolds(
  { sql, tables }: { readonly sql: Sql; readonly tables: Tables },
  filter: HoldFilter,
  { after, limit }: HoldPage,
  scope: Scope,
): Promise<HoldRow[]> {
  const { packageId } = filter;
  if (packageId !== undefined) {
    if (!(await isCovered(sql, packageId, scope))) return [];
    return selectHolds(sql, tables, filter, { after, limit });
  }
  const covered: HoldRow[] = [];
  for (let from: string | undefined = after; from !== undefined && covered.length < limit;) {
    const page = { after: from, limit: holdsAtOnce };
    const rows: NamedHold[] = await selectNamedHolds(sql, tables, filter, page);
    for (const row of rows) if (scope.covers(row)) covered.push(row.hold);
    from = rows.length < holdsAtOnce ? undefined : rows.at(-1)?.hold.holdId;
  }
  return covered.slice(0, limit);
}

interface NamedHold {
  readonly hold: HoldRow;
  readonly namespace: string;
  readonly name: string;
}

/** The holds of one page, each with the name that its package has. */
export function selectNamedHolds(
  sql: Sql,
  { retentionHolds: t, artifactPackages }: Tables,
  filter: HoldFilter,
  { after, limit }: HoldPage,
): Query<NamedHold[]> {
  const { namespace, name } = artifactPackages;
  return sql
    .select({ hold: t, namespace, name })
    .from(t)
    .innerJoin(artifactPackages, eq(artifactPackages.packageId, t.packageId))
    .where(isListed(t, filter, after))
    .orderBy(asc(t.holdId))
    .limit(limit);
}

/** The holds of one page. */
export function selectHolds(
  sql: Sql,
  { retentionHolds: t }: Tables,
  filter: HoldFilter,
  { after, limit }: HoldPage,
): Query<HoldRow[]> {
  return sql
    .select()
    .from(t)
    .where(isListed(t, filter, after))
    .orderBy(asc(t.holdId))
    .limit(limit);
}

function isListed(
  t: Tables["retentionHolds"],
  { packageId, released }: HoldFilter,
  after: string,
): SQL | undefined {
  const isReleased = released === true ? isNotNull(t.releasedAt) : isNull(t.releasedAt);
  return and(
    gt(t.holdId, after),
    packageId === undefined ? undefined : eq(t.packageId, packageId),
    released === undefined ? undefined : isReleased,
  );
}
