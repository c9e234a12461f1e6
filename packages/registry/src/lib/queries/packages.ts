import type { Query, Sql, Tables } from "@store/database";
import { versionSortKey } from "@store/identity";
import { and, asc, between, desc, eq, isNotNull, lte, sql as raw } from "drizzle-orm";

import type { Scope } from "../scope.ts";
import type { PackageFilter, PackageSummary, Page, PageOptions } from "../types.ts";
import { firstWord } from "./found-names.ts";
import { cursorOf, integer, pageLimit, pageOf, text } from "./pages.ts";
import {
  isBeyond,
  isWithin,
  rangesOfFilter,
  readRanges,
  type PageQuery,
  type RangeQuery,
} from "./range-query.ts";
import { packageColumns, packageSummary, type PackageRow } from "./rows.ts";
import { searchPackages } from "./search.ts";
import { findTag } from "./tags.ts";

const packageCursor = cursorOf("packages", [text, text, text, text, text]);
type PackageKey = NonNullable<ReturnType<typeof packageCursor.decode>>;

/** Packages in order of namespace, name, version precedence, variant and id. */
export async function listPackages(
  sql: Sql,
  tables: Tables,
  filter: PackageFilter,
  options: PageOptions,
  scope: Scope,
): Promise<Page<PackageSummary>> {
  const { q } = filter;
  if (q !== undefined && filter.name === undefined) {
    return searchPackages({ sql, tables }, { ...filter, q: q.toLowerCase() }, options, scope);
  }
  const limit = pageLimit(options);
  const after = packageCursor.decode(options.cursor);
  if (q !== undefined && !isFoundBy(filter, q)) return { items: [] };
  const ranges = rangesOfFilter(scope, filter);
  const conditions = ranges?.length === 0 ? undefined : await conditionsOf(sql, tables, filter);
  if (conditions === undefined) return { items: [] };
  const rows = await readRanges(ranges, { after, limit: limit + 1 }, (query) =>
    selectPackages(sql, tables, conditions, query),
  );
  return pageOf(rows, limit, {
    cursor: (row) => packageCursor.encode(packageKey(row)),
    item: packageSummary,
  });
}

/** Whether a search would find the one name that is asked for. */
function isFoundBy({ namespace = "", name = "" }: PackageFilter, q: string): boolean {
  return firstWord({ namespace, name }, q.toLowerCase()) !== undefined;
}

/** The filter with its tag looked up, or undefined where there is no such tag. */
async function conditionsOf(
  sql: Sql,
  tables: Tables,
  { namespace, name, tag, ...filter }: PackageFilter,
): Promise<PackageConditions | undefined> {
  if (namespace === undefined || name === undefined || tag === undefined) {
    return { namespace, name, ...filter };
  }
  const found = await findTag(sql, tables, { namespace, name, tag });
  return found === undefined ? undefined : { ...filter, packageId: found.packageId };
}

/** Where a package stands in the order of {@link listPackages}. */
export function packageKey(row: PackageRow): PackageKey {
  return [row.namespace, row.name, row.versionSortKey, row.variant, row.packageId];
}

/** A filter whose tag was looked up, and what a sweep asks for. */
type PackageConditions = Omit<PackageFilter, "tag"> & {
  readonly packageId?: string | undefined;
  /** Only open packages whose time is over by then. */
  readonly openUntil?: string;
};

/** The packages of one page. */
export function selectPackages(
  sql: Sql,
  tables: Tables,
  filter: PackageConditions,
  { after, limit, ...range }: RangeQuery<PackageKey>,
): Query<PackageRow[]> {
  const { artifactPackages: t } = tables;
  const { namespace, name, version, variant, status, packageId, openUntil } = filter;
  const sortKey = version === undefined ? undefined : versionSortKey(version);
  const [fromNamespace, fromName, fromVersion, fromVariant, fromId] = after ?? [];
  // What the filter fixes needs no order: an index is followed from the first free column on.
  const order = [
    { column: t.namespace, fixed: namespace, from: fromNamespace },
    { column: t.name, fixed: name, from: fromName },
    { column: t.versionSortKey, fixed: sortKey, from: fromVersion },
    { column: t.variant, fixed: undefined, from: fromVariant },
    { column: t.packageId, fixed: undefined, from: fromId },
  ].filter(({ fixed }) => fixed === undefined);
  return sql
    .select(packageColumns(tables))
    .from(t)
    .where(
      and(
        status === undefined ? undefined : eq(t.status, status),
        // A literal, so that a database can tell that the index of all but the usual status serves.
        status === undefined || status === "finalized"
          ? undefined
          : raw`${t.status} <> 'finalized'`,
        namespace === undefined ? undefined : eq(t.namespace, namespace),
        name === undefined ? undefined : eq(t.name, name),
        sortKey === undefined ? undefined : eq(t.versionSortKey, sortKey),
        version === undefined ? undefined : eq(t.version, version),
        // A range of one: for a column that equals a value SQLite would sort instead of following
        // the index, in which the variant stands before the id.
        variant === undefined ? undefined : between(t.variant, variant, variant),
        packageId === undefined ? undefined : eq(t.packageId, packageId),
        openUntil === undefined ? undefined : lte(t.openExpiresAt, openUntil),
        after === undefined ? undefined : isBeyond(order, ">"),
        ...isWithin(t, range, namespace),
      ),
    )
    .orderBy(...order.map(({ column }) => asc(column)))
    .limit(limit);
}

const versionCursor = cursorOf("versions", [text, integer]);
type VersionKey = NonNullable<ReturnType<typeof versionCursor.decode>>;

/** What is finalized under a name, highest version first. */
export async function listVersions(
  sql: Sql,
  tables: Tables,
  fullName: { readonly namespace: string; readonly name: string },
  options: PageOptions,
  scope: Scope,
): Promise<Page<PackageSummary>> {
  const limit = pageLimit(options);
  const after = versionCursor.decode(options.cursor);
  if (!scope.covers(fullName)) return { items: [] };
  const rows = await selectVersions(sql, tables, fullName, { after, limit: limit + 1 });
  return pageOf(rows, limit, {
    cursor: (row) => versionCursor.encode([row.versionSortKey, row.finalizedSeq ?? 0]),
    item: packageSummary,
  });
}

/** The versions of one page. */
export function selectVersions(
  sql: Sql,
  tables: Tables,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { after, limit }: PageQuery<VersionKey>,
): Query<PackageRow[]> {
  const { artifactPackages: t } = tables;
  const [fromVersion, fromSeq] = after ?? [];
  const order = [
    { column: t.versionSortKey, from: fromVersion },
    { column: t.finalizedSeq, from: fromSeq },
  ];
  return sql
    .select(packageColumns(tables))
    .from(t)
    .where(
      and(
        eq(t.namespace, namespace),
        eq(t.name, name),
        isNotNull(t.finalizedSeq),
        after === undefined ? undefined : isBeyond(order, "<"),
      ),
    )
    .orderBy(...order.map(({ column }) => desc(column)))
    .limit(limit);
}
