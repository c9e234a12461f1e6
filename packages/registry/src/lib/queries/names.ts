import type { Query, Sql, Tables } from "@store/database";
import { and, asc, eq } from "drizzle-orm";

import type { Scope } from "../scope.ts";
import type { NameFilter, NameInfo, Page, PageOptions } from "../types.ts";
import type { NameKey } from "./name-ranges.ts";
import { cursorOf, pageLimit, pageOf, text } from "./pages.ts";
import { isBeyond, isWithin, rangesOfFilter, readRanges, type RangeQuery } from "./range-query.ts";

const nameCursor = cursorOf("names", [text, text]);

/** The names that have finalized packages, in order. */
export async function listNames(
  sql: Sql,
  tables: Tables,
  filter: NameFilter,
  options: PageOptions,
  scope: Scope,
): Promise<Page<NameInfo>> {
  const limit = pageLimit(options);
  const after = nameCursor.decode(options.cursor);
  const ranges = rangesOfFilter(scope, filter);
  const rows = await readRanges(ranges, { after, limit: limit + 1 }, (query) =>
    selectNames(sql, tables, filter, query),
  );
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
  { after, limit, ...range }: RangeQuery<NameKey>,
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
        ...isWithin(t, range, namespace),
      ),
    )
    .orderBy(...order.map(({ column }) => asc(column)))
    .limit(limit);
}
