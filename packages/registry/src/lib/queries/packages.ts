import type { Sql, Tables } from "@store/database";
import { StoreError, versionSortKey } from "@store/identity";
import { and, asc, desc, eq, isNotNull, sql as raw } from "drizzle-orm";

import { decodeCursor, page, pageLimit } from "./pages.ts";
import { packageInfo } from "./rows.ts";
import type { NameInfo, PackageFilter, PackageInfo, Page, PageOptions } from "../types.ts";

/** Packages in order of namespace, name, version precedence, variant and id. */
export async function listPackages(
  sql: Sql,
  tables: Tables,
  filter: PackageFilter = {},
  options: PageOptions = {},
): Promise<Page<PackageInfo>> {
  const { artifactPackages: t, tags } = tables;
  const limit = pageLimit(options.limit);
  const after = decodeCursor("packages", options.cursor, 5);
  if (filter.tag !== undefined && (filter.namespace === undefined || filter.name === undefined)) {
    throw new StoreError("invalid_argument", "To list by tag, give namespace and name too.");
  }
  const order = [t.namespace, t.name, t.versionSortKey, t.variant, t.packageId] as const;
  const tagged = sql
    .select({ packageId: tags.packageId })
    .from(tags)
    .where(
      and(
        eq(tags.namespace, filter.namespace ?? ""),
        eq(tags.name, filter.name ?? ""),
        eq(tags.tag, filter.tag ?? ""),
      ),
    );
  const rows = await sql
    .select()
    .from(t)
    .where(
      and(
        filter.namespace === undefined ? undefined : eq(t.namespace, filter.namespace),
        filter.name === undefined ? undefined : eq(t.name, filter.name),
        ...(filter.version === undefined
          ? []
          : [eq(t.version, filter.version), eq(t.versionSortKey, versionSortKey(filter.version))]),
        filter.variant === undefined ? undefined : eq(t.variant, filter.variant),
        ...(filter.status === undefined ? [] : [eq(t.status, filter.status)]),
        // All but the usual status have an index, under this condition.
        filter.status === undefined || filter.status === "finalized"
          ? undefined
          : raw`${t.status} <> 'finalized'`,
        filter.tag === undefined ? undefined : raw`${t.packageId} in ${tagged}`,
        after === undefined ? undefined : isAfter(order, after),
      ),
    )
    .orderBy(...order.map((column) => asc(column)))
    .limit(limit + 1);
  return page(
    "packages",
    rows,
    limit,
    (row) => [row.namespace, row.name, row.versionSortKey, row.variant, row.packageId],
    packageInfo,
  );
}

/** A row value comparison, which both databases answer from the index of the same columns. */
function isAfter(columns: readonly unknown[], key: readonly string[]) {
  const left = raw.join(
    columns.map((column) => raw`${column}`),
    raw`, `,
  );
  const right = raw.join(
    key.map((part) => raw`${part}`),
    raw`, `,
  );
  return raw`(${left}) > (${right})`;
}

/** What is finalized under a name, highest version first. */
export async function listVersions(
  sql: Sql,
  tables: Tables,
  namespace: string,
  name: string,
  options: PageOptions = {},
): Promise<Page<PackageInfo>> {
  const { artifactPackages: t } = tables;
  const limit = pageLimit(options.limit);
  const before = decodeCursor("versions", options.cursor, 2);
  const rows = await sql
    .select()
    .from(t)
    .where(
      and(
        eq(t.namespace, namespace),
        eq(t.name, name),
        isNotNull(t.finalizedSeq),
        before === undefined
          ? undefined
          : raw`(${t.versionSortKey}, ${t.finalizedSeq}) < (${before[0]}, ${Number(before[1])})`,
      ),
    )
    .orderBy(desc(t.versionSortKey), desc(t.finalizedSeq))
    .limit(limit + 1);
  return page(
    "versions",
    rows,
    limit,
    (row) => [row.versionSortKey, String(row.finalizedSeq)],
    packageInfo,
  );
}

/** The names that have finalized packages, in order. */
export async function listNames(
  sql: Sql,
  tables: Tables,
  filter: { readonly namespace?: string } = {},
  options: PageOptions = {},
): Promise<Page<NameInfo>> {
  const { packageNames: t } = tables;
  const limit = pageLimit(options.limit);
  const after = decodeCursor("names", options.cursor, 2);
  const rows = await sql
    .select()
    .from(t)
    .where(
      and(
        filter.namespace === undefined ? undefined : eq(t.namespace, filter.namespace),
        after === undefined ? undefined : isAfter([t.namespace, t.name], after),
      ),
    )
    .orderBy(asc(t.namespace), asc(t.name))
    .limit(limit + 1);
  return page(
    "names",
    rows,
    limit,
    (row) => [row.namespace, row.name],
    ({ namespace, name, finalizedCount, updatedAt }) => ({
      namespace,
      name,
      finalizedCount,
      updatedAt,
    }),
  );
}
