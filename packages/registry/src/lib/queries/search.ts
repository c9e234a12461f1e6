import {
  statement,
  type Query,
  type Sql,
  type StatementParameters,
  type Tables,
} from "@store/database";
import { and, asc, eq, sql as raw, type Placeholder } from "drizzle-orm";

import type { Scope } from "../scope.ts";
import type { PackageFilter, PackageStatus, PackageSummary, Page, PageOptions } from "../types.ts";
import { findNames, newBudget, tooBroad, type FoundName, type FoundPlace } from "./found-names.ts";
import { next } from "./name-ranges.ts";
import { cursorOf, pageLimit, text } from "./pages.ts";
import { packageColumns, packageSummary, type PackageRow } from "./rows.ts";

/** A word, the name that it is of, and the last package of that name that was shown. */
const cursor = cursorOf("search", [text, text, text, text, text, text]);
type SearchKey = NonNullable<ReturnType<typeof cursor.decode>>;

/** Names whose packages are looked for by one page; of a rare status most have none. */
const namesPerPage = 1_000;
/** Names whose packages are read at the same time. */
const mostAtOnce = 16;

/** A package, and the word by which it was found. */
interface Found {
  readonly word: string;
  readonly row: PackageRow;
}

/**
 * The packages of which a word begins with `q`, by that word, then in the order of all lists. A
 * page may end before its limit where many names have no such package.
 */
export async function searchPackages(
  place: { readonly sql: Sql; readonly tables: Tables },
  filter: Pick<PackageFilter, "namespace" | "status"> & { readonly q: string },
  options: PageOptions,
  scope: Scope,
): Promise<Page<PackageSummary>> {
  const { q, namespace, status } = filter;
  const limit = pageLimit(options);
  const after = cursor.decode(options.cursor) ?? (["", "", "", "", "", ""] as const);
  const start: FoundPlace = [after[0], after[1], after[2]];
  const budget = newBudget();
  const names = findNames({ ...place, q, scope, namespace }, start, budget);
  const found: Found[] = [];
  let last: FoundName | undefined;
  let looked = 0;
  for (let width = 1; found.length <= limit; width = Math.min(width * 2, mostAtOnce)) {
    if (last !== undefined && looked >= namesPerPage) return pageUpTo(found, last);
    const some = await take(names, width);
    found.push(...(await packagesOf(place.sql, some, { status, after, limit: limit + 1 })));
    last = some.at(-1) ?? last;
    looked += some.length;
    if (some.length === width || found.length > limit) continue;
    if (!budget.isCut) return { items: found.map(itemOf) };
    if (last === undefined) throw tooBroad(q);
    return pageUpTo(found, last);
  }
  const shown = found.slice(0, limit);
  return { items: shown.map(itemOf), ...cursorAfter(shown.at(-1)) };
}

const itemOf = ({ row }: Found): PackageSummary => packageSummary(row);

/** A page that ends early, behind a name of which nothing is left. */
function pageUpTo(found: readonly Found[], last: FoundName): Page<PackageSummary> {
  const behind = cursor.encode([last.word, last.namespace, next(last.name), "", "", ""]);
  return { items: found.map(itemOf), cursor: behind };
}

function cursorAfter(last: Found | undefined): { cursor?: string } {
  if (last === undefined) return {};
  const { namespace, name, versionSortKey, variant, packageId } = last.row;
  return {
    cursor: cursor.encode([last.word, namespace, name, versionSortKey, variant, packageId]),
  };
}

/** The next names, fewer at the end. */
async function take(
  names: AsyncGenerator<FoundName, void, undefined>,
  count: number,
): Promise<FoundName[]> {
  const some: FoundName[] = [];
  while (some.length < count) {
    const { done, value } = await names.next();
    if (done === true) break;
    some.push(value);
  }
  return some;
}

/** The first packages of each name, of the first one those that were not shown yet. */
async function packagesOf(
  sql: Sql,
  names: readonly FoundName[],
  page: {
    readonly status: PackageStatus | undefined;
    readonly after: SearchKey;
    readonly limit: number;
  },
): Promise<Found[]> {
  const { status, after, limit } = page;
  const [fromWord, fromNamespace, fromName, ...shown] = after;
  const found = names.map(async ({ word, namespace, name }): Promise<Found[]> => {
    const isBegun = word === fromWord && namespace === fromNamespace && name === fromName;
    const [sortKey, variant, packageId] = isBegun ? shown : ["", "", ""];
    const select = status === undefined ? selectAny : selectByStatus[status];
    const rows = await select(sql, { namespace, name, sortKey, variant, packageId, limit });
    return rows.map((row) => ({ word, row }));
  });
  return (await Promise.all(found)).flat();
}

const selectAny = packagesOfName(undefined);
const selectByStatus = {
  open: packagesOfName("open"),
  finalized: packagesOfName("finalized"),
  yanked: packagesOfName("yanked"),
  expired: packagesOfName("expired"),
} as const satisfies Record<PackageStatus, unknown>;

function packagesOfName(status: PackageStatus | undefined) {
  return statement((sql, tables, p: StatementParameters<NamePlace & { limit: number }>) => {
    const from = {
      namespace: p("namespace"),
      name: p("name"),
      sortKey: p("sortKey"),
      variant: p("variant"),
      packageId: p("packageId"),
    };
    return selectOfName(sql, tables, from, { status, limit: p("limit") });
  });
}

/** A name, and the package of it after which to go on. */
type NamePlace = Readonly<
  Record<"namespace" | "name" | "sortKey" | "variant" | "packageId", string>
>;

/** The packages of one name from a place on, in the order of lists. */
export function selectOfName(
  sql: Sql,
  tables: Tables,
  from: { readonly [Key in keyof NamePlace]: string | Placeholder },
  { status, limit }: { status: PackageStatus | undefined; limit: number | Placeholder },
): Query<PackageRow[]> {
  const { artifactPackages: t } = tables;
  const key = raw`(${t.versionSortKey}, ${t.variant}, ${t.packageId})`;
  // A literal, as in the list by status.
  const isRare = status === undefined || status === "finalized";
  return sql
    .select(packageColumns(tables))
    .from(t)
    .where(
      and(
        status === undefined ? undefined : eq(t.status, status),
        isRare ? undefined : raw`${t.status} <> 'finalized'`,
        eq(t.namespace, from.namespace),
        eq(t.name, from.name),
        raw`${key} > (${from.sortKey}, ${from.variant}, ${from.packageId})`,
      ),
    )
    .orderBy(asc(t.versionSortKey), asc(t.variant), asc(t.packageId))
    .limit(limit);
}
