import { gte, lt, sql as raw, type Column, type SQL } from "drizzle-orm";

import type { Scope } from "../scope.ts";
import {
  compareNames,
  rangeOf,
  rangesWithin,
  type NameKey,
  type NameRange,
} from "./name-ranges.ts";

/** Where a page begins and how many rows it reads. */
export interface PageQuery<Key> {
  readonly after: Key | undefined;
  readonly limit: number;
}

/** The same, within a range of names; what `after` says is not said again by `from`. */
export interface RangeQuery<Key> extends PageQuery<Key> {
  readonly from?: NameKey | undefined;
  readonly to?: NameKey | undefined;
}

/** The ranges of names that a list goes through; undefined where it needs no bounds. */
export type ListedRanges = readonly NameRange[] | undefined;

/** What of a scope a filter asks for. */
export function rangesOfFilter(
  scope: Scope,
  {
    namespace,
    name,
  }: { readonly namespace?: string | undefined; readonly name?: string | undefined },
): ListedRanges {
  const { ranges } = scope;
  if (ranges === undefined || namespace === undefined) return ranges;
  if (name !== undefined) return scope.covers({ namespace, name }) ? undefined : [];
  const whole = rangeOf({
    namespace: { text: namespace, isPrefix: false },
    name: { text: "", isPrefix: true },
  });
  return rangesWithin(ranges, whole);
}

/** The first rows of a list in its order, from one range after another: a seek for each. */
export async function readRanges<Key extends readonly [string, string, ...unknown[]], Row>(
  ranges: ListedRanges,
  { after, limit }: PageQuery<Key>,
  read: (query: RangeQuery<Key>) => PromiseLike<Row[]>,
): Promise<Row[]> {
  if (ranges === undefined) return read({ after, limit });
  const rows: Row[] = [];
  for (const { from, to } of ranges) {
    if (rows.length >= limit) break;
    const left = limit - rows.length;
    const [namespace, name] = after ?? ["", ""];
    if (compareNames(to, [namespace, name]) <= 0) continue;
    const isInside = after !== undefined && compareNames(from, [namespace, name]) <= 0;
    const start = isInside ? { after } : { after: undefined, from };
    rows.push(...(await read({ ...start, to, limit: left })));
  }
  return rows;
}

/** The bounds of a range of names; of one namespace, which is fixed otherwise, only the names'. */
export function isWithin(
  columns: { readonly namespace: Column; readonly name: Column },
  { from, to }: Pick<RangeQuery<unknown>, "from" | "to">,
  fixedNamespace: string | undefined,
): (SQL | undefined)[] {
  if (fixedNamespace !== undefined) {
    return [
      from === undefined ? undefined : gte(columns.name, from[1]),
      to === undefined ? undefined : lt(columns.name, to[1]),
    ];
  }
  const key = raw`(${columns.namespace}, ${columns.name})`;
  return [
    from === undefined ? undefined : raw`${key} >= (${from[0]}, ${from[1]})`,
    to === undefined ? undefined : raw`${key} < (${to[0]}, ${to[1]})`,
  ];
}

/** A row value comparison, which both databases answer from the index of the same columns. */
export function isBeyond(
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
