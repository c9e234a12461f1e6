import type { Query, Sql, Tables } from "@store/database";
import { versionSortKey } from "@store/identity";
import { and, asc, between, desc, eq, isNotNull, lte, sql as raw, type SQL } from "drizzle-orm";

import type {
  NameFilter,
  NameInfo,
  PackageFilter,
  PackageSummary,
  Page,
  PageOptions,
} from "../types.ts";
import { cursorOf, integer, pageLimit, pageOf, text } from "./pages.ts";
import { packageColumns, packageSummary, type PackageRow } from "./rows.ts";
import { findTag } from "./tags.ts";

/** Where a page begins and how many rows it reads. */
interface PageQuery<Key> {
  readonly after: Key | undefined;
  readonly limit: number;
}

const packageCursor = cursorOf("packages", [text, text, text, text, text]);
type PackageKey = NonNullable<ReturnType<typeof packageCursor.decode>>;

/** Packages in order of namespace, name, version precedence, variant and id. */
export async function listPackages(
  sql: Sql,
  tables: Tables,
  filter: PackageFilter,
  options: PageOptions,
): Promise<Page<PackageSummary>> {
  const limit = pageLimit(options);
  const after = packageCursor.decode(options.cursor);
  const conditions = await conditionsOf(sql, tables, filter);
  if (conditions === undefined) return { items: [] };
  const rows = await selectPackages(sql, tables, conditions, { after, limit: limit + 1 });
  return pageOf(rows, limit, {
    cursor: (row) => packageCursor.encode(packageKey(row)),
    item: packageSummary,
  });
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
  { after, limit }: PageQuery<PackageKey>,
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
      ),
    )
    .orderBy(...order.map(({ column }) => asc(column)))
    .limit(limit);
}

/** A row value comparison, which both databases answer from the index of the same columns. */
function isBeyond(
  key: readonly { readonly column: SQL | object; readonly from: string | number | undefined }[],
  operator: ">" | "<",
): SQL {
  const separator = raw`, `;
  const left = raw.join(
    key.map(({ column }) => raw`${column}`),
    separator,
  );
  const right = raw.join(
    key.map(({ from }) => raw`${from}`),
    separator,
  );
  return raw`(${left}) ${raw.raw(operator)} (${right})`;
}

const versionCursor = cursorOf("versions", [text, integer]);
type VersionKey = NonNullable<ReturnType<typeof versionCursor.decode>>;

/** What is finalized under a name, highest version first. */
export async function listVersions(
  sql: Sql,
  tables: Tables,
  fullName: { readonly namespace: string; readonly name: string },
  options: PageOptions,
): Promise<Page<PackageSummary>> {
  const limit = pageLimit(options);
  const after = versionCursor.decode(options.cursor);
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

const nameCursor = cursorOf("names", [text, text]);
type NameKey = NonNullable<ReturnType<typeof nameCursor.decode>>;

/** The names that have finalized packages, in order. */
export async function listNames(
  sql: Sql,
  tables: Tables,
  filter: NameFilter,
  options: PageOptions,
): Promise<Page<NameInfo>> {
  const limit = pageLimit(options);
  const after = nameCursor.decode(options.cursor);
  const rows = await selectNames(sql, tables, filter, { after, limit: limit + 1 });
  return pageOf(rows, limit, {
    cursor: (row) => nameCursor.encode([row.namespace, row.name]),
    item: (info) => info,
  });
}

/** The names of one page. */
export function selectNames(
  sql: Sql,
  { packageNames: t }: Tables,
  { namespace }: NameFilter,
  { after, limit }: PageQuery<NameKey>,
): Query<NameInfo[]> {
  const [fromNamespace, fromName] = after ?? [];
  const order = [
    { column: t.namespace, fixed: namespace, from: fromNamespace },
    { column: t.name, fixed: undefined, from: fromName },
  ].filter(({ fixed }) => fixed === undefined);
  return sql
    .select({
      namespace: t.namespace,
      name: t.name,
      finalizedCount: t.finalizedCount,
      updatedAt: t.updatedAt,
    })
    .from(t)
    .where(
      and(
        namespace === undefined ? undefined : eq(t.namespace, namespace),
        after === undefined ? undefined : isBeyond(order, ">"),
      ),
    )
    .orderBy(...order.map(({ column }) => asc(column)))
    .limit(limit);
}
