import type { Query, Row, Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { and, asc, eq, lt, sql as raw } from "drizzle-orm";

import { nameWords } from "../name-words.ts";
import type { Scope } from "../scope.ts";
import { beyond, compareNames, compareTexts, next, type NameKey } from "./name-ranges.ts";
import type { ListedRanges } from "./range-query.ts";

/** A name, under the word of it by which it was found. */
export type FoundName = Row<"nameWords">;

/** Where a search begins: at this word of this name, which may be one that is not there. */
export type FoundPlace = readonly [word: string, namespace: string, name: string];

/** What to search for, and where. */
export interface NameSearch {
  readonly sql: Sql;
  readonly tables: Tables;
  /** How a word begins. */
  readonly q: string;
  readonly scope: Scope;
  /** Only names of this namespace. */
  readonly namespace: string | undefined;
}

/** Most namespaces that are searched one by one, because a scope covers nothing beside them. */
const namespacesAtOnce = 32;

/** Rows read by the first statement, by later ones, and by one search at most. */
const firstRows = 128;
const laterRows = 1_024;
const rowsPerSearch = 65_536;

/** How much one search may still read; it is cut where it would have to read more. */
export interface SearchBudget {
  rows: number;
  isCut: boolean;
}

export function newBudget(): SearchBudget {
  return { rows: rowsPerSearch, isCut: false };
}

/**
 * The names of which a word begins so, each once, under the first such word: in the order of these
 * words, then of namespace and name. Only those that the scope covers. The names end too where the
 * budget does, which then says so.
 */
export async function* findNames(
  search: NameSearch,
  from: FoundPlace,
  budget: SearchBudget,
): AsyncGenerator<FoundName, void, undefined> {
  const sources = namespacesOf(search).map((namespace) => rowsOf(search, namespace, from, budget));
  for await (const row of merged(sources, budget)) {
    if (search.scope.covers(row) && isFirst(row, search.q)) yield row;
  }
}

/** Whether no other word of the name comes before, by which it was found already. */
function isFirst(row: FoundName, q: string): boolean {
  return row.word === firstWord(row, q);
}

/** The first word of a name that begins so, or undefined. */
export function firstWord(
  named: { readonly namespace: string; readonly name: string },
  q: string,
): string | undefined {
  return nameWords(named).find((word) => word.startsWith(q));
}

/** The namespaces that are searched one by one; `undefined` for all of them at once. */
function namespacesOf({ namespace, scope }: NameSearch): readonly (string | undefined)[] {
  if (namespace !== undefined || scope.ranges === undefined) return [namespace];
  const namespaces = new Set(
    scope.ranges.map(({ from, to }) => (from[0] === to[0] ? from[0] : undefined)),
  );
  const isFew = namespaces.size <= namespacesAtOnce && !namespaces.has(undefined);
  return isFew ? [...namespaces] : [undefined];
}

/** The rows of one source in order, from a place on. */
async function* rowsOf(
  { sql, tables, q, scope }: NameSearch,
  namespace: string | undefined,
  from: FoundPlace,
  budget: SearchBudget,
): AsyncGenerator<FoundName, void, undefined> {
  let place: FoundPlace = compareTexts(from[0], q) < 0 ? [q, "", ""] : from;
  for (let limit = firstRows; ; limit = laterRows) {
    const rows: FoundName[] = await selectFound(sql, tables, { q, namespace, from: place, limit });
    yield* rows;
    budget.rows -= rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    budget.isCut ||= budget.rows <= 0;
    if (budget.isCut) return;
    place = placeBehind(last, scope.ranges);
  }
}

/** Where to go on behind a row: within its word, not before the next range that is covered. */
function placeBehind({ word, namespace, name }: FoundName, ranges: ListedRanges): FoundPlace {
  const behind: NameKey = [namespace, next(name)];
  if (ranges === undefined) return [word, ...behind];
  const range = ranges.find(({ to }) => compareNames(behind, to) < 0);
  if (range === undefined) return [next(word), "", ""];
  return [word, ...(compareNames(range.from, behind) > 0 ? range.from : behind)];
}

/** The words that begin so, from a place on. */
export function selectFound(
  sql: Sql,
  { nameWords: t }: Tables,
  search: {
    readonly q: string;
    readonly namespace: string | undefined;
    readonly from: FoundPlace;
    readonly limit: number;
  },
): Query<FoundName[]> {
  const { q, namespace, from, limit } = search;
  const [word, , name] = from;
  const isBelow = lt(t.word, beyond(q));
  if (namespace === undefined) {
    const isFrom = raw`(${t.word}, ${t.namespace}, ${t.name}) >= (${word}, ${from[1]}, ${name})`;
    const order = [asc(t.word), asc(t.namespace), asc(t.name)];
    return sql
      .select()
      .from(t)
      .where(and(isFrom, isBelow))
      .orderBy(...order)
      .limit(limit);
  }
  const side = compareTexts(namespace, from[1]);
  // Of a namespace before the place only later words are left, of one behind it this word whole.
  const start = side < 0 ? [next(word), ""] : [word, side === 0 ? name : ""];
  const isFrom = raw`(${t.word}, ${t.name}) >= (${start[0]}, ${start[1]})`;
  return sql
    .select()
    .from(t)
    .where(and(eq(t.namespace, namespace), isFrom, isBelow))
    .orderBy(asc(t.word), asc(t.name))
    .limit(limit);
}

/** The rows of several sources, each in order, in one order; none behind the end of one cut off. */
async function* merged(
  sources: readonly AsyncGenerator<FoundName, void, undefined>[],
  budget: SearchBudget,
): AsyncGenerator<FoundName, void, undefined> {
  const heads = await Promise.all(sources.map(headOf));
  while (!budget.isCut) {
    const [first, ...others] = heads.filter((head) => head.row !== undefined);
    if (first === undefined) return;
    const lowest = others.reduce((one, other) => (isBefore(other, one) ? other : one), first);
    if (lowest.row !== undefined) yield lowest.row;
    lowest.row = (await headOf(lowest.source)).row;
  }
}

interface Head {
  readonly source: AsyncGenerator<FoundName, void, undefined>;
  row: FoundName | undefined;
}

async function headOf(source: Head["source"]): Promise<Head> {
  const { done, value } = await source.next();
  return { source, row: done === true ? undefined : value };
}

function isBefore({ row: one }: Head, { row: other }: Head): boolean {
  if (one === undefined || other === undefined) return false;
  const byWord = compareTexts(one.word, other.word);
  const byName = compareTexts(one.namespace, other.namespace) || compareTexts(one.name, other.name);
  return (byWord || byName) < 0;
}

/** The refusal of a search that meets too much that its caller may not read. */
export function tooBroad(q: string): StoreError {
  return new StoreError(
    "limit_exceeded",
    `Too many names begin with "${q}". Give more letters, or the namespace to search in.`,
    { context: { actual: q, limit: rowsPerSearch } },
  );
}
