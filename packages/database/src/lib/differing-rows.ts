/** Holds a table of one database against the same table of another, whichever dialects they are. */
import { asc, getColumns, sql as expression, type Column, type SQL, type Table } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { StoreError } from "@store/identity";
import { sqliteTables } from "./sqlite/schema.ts";
import type { Sql } from "./sql.ts";
import type { Row, TableName, Tables } from "./tables.ts";

/** Where a table is read: outside of the writer, or in a transaction. */
export interface ReadPlace {
  readonly sql: Sql;
  readonly tables: Tables;
}

/** A row that is not the same in both places. */
export interface DifferingRow<Name extends TableName> {
  /** As it is in the first place; absent where it is missing there. */
  readonly one?: Row<Name>;
  /** As it is in the second; absent where it is missing there. */
  readonly other?: Row<Name>;
}

type AnyRow = Readonly<Record<string, unknown>>;

/** Rows of one statement; fewer where a row may have a MiB. */
const rowsAtOnce = 1_000;
const longRowsAtOnce = 64;
const tablesOfLongRows: readonly TableName[] = [
  "artifactPackages",
  "events",
  "idempotencyKeys",
  "metadataSchemas",
  "workPositions",
];

/**
 * The rows that are in one place and not, or not the same, in the other, in the order of the table's
 * key. Reads a page at a time of each; rows up to the last one given may be changed meanwhile.
 * `onRow` is called for each row, the same on both sides or not.
 */
export async function* differingRows<Name extends TableName>(
  one: ReadPlace,
  other: ReadPlace,
  table: Name,
  onRow?: () => void,
): AsyncGenerator<DifferingRow<Name>, void, undefined> {
  const key = keyColumns(table);
  const left = rowsOf(one, table, key);
  const right = rowsOf(other, table, key);
  let [a, b] = [await left.next(), await right.next()];
  while (a.done !== true || b.done !== true) {
    const order = a.done ? 1 : b.done ? -1 : compareKeys(key, a.value, b.value);
    const differing: { one?: AnyRow; other?: AnyRow } = {};
    if (order <= 0 && !a.done) differing.one = a.value;
    if (order >= 0 && !b.done) differing.other = b.value;
    const { one: mine, other: its } = differing;
    if (mine === undefined || its === undefined || !isSameRow(mine, its)) {
      // Every row of a table has the columns of that table.
      yield differing as DifferingRow<Name>;
    }
    onRow?.();
    if (order <= 0) a = await left.next();
    if (order >= 0) b = await right.next();
  }
}

/** The names in code of the columns that make a table's primary key; the same in both dialects. */
export function keyColumns(table: TableName): readonly string[] {
  const definition = sqliteTables[table];
  const { primaryKeys } = getTableConfig(definition);
  const names = new Set(primaryKeys[0]?.columns.map(({ name }) => name));
  const key = Object.entries(getColumns<Table>(definition)).filter(([, { name }]) =>
    names.has(name),
  );
  if (key.length === 0) throw new StoreError("internal", `The table ${table} has no primary key.`);
  const position = new Map([...names].map((name, at) => [name, at]));
  return key
    .toSorted(
      ([, one], [, other]) => (position.get(one.name) ?? 0) - (position.get(other.name) ?? 0),
    )
    .map(([name]) => name);
}

async function* rowsOf(
  { sql, tables }: ReadPlace,
  name: TableName,
  key: readonly string[],
): AsyncGenerator<AnyRow, void, undefined> {
  const table: Table = tables[name];
  const columns = getColumns(table);
  const keyed = key.flatMap((each) => columns[each] ?? []);
  const limit = tablesOfLongRows.includes(name) ? longRowsAtOnce : rowsAtOnce;
  let last: AnyRow | undefined;
  for (;;) {
    const rows: AnyRow[] = await sql
      .select()
      .from(table)
      .where(
        last &&
          above(
            keyed,
            key.map((each) => last?.[each]),
          ),
      )
      .orderBy(...keyed.map((column) => asc(column)))
      .limit(limit);
    yield* rows;
    if (rows.length < limit) return;
    last = rows.at(-1);
  }
}

function above(columns: readonly Column[], values: readonly unknown[]): SQL {
  const left = expression.join([...columns], expression`, `);
  const right = expression.join(
    values.map((value) => expression`${value}`),
    expression`, `,
  );
  return expression`(${left}) > (${right})`;
}

/** As the databases order keys: numbers by value, texts by their bytes. */
function compareKeys(key: readonly string[], one: AnyRow, other: AnyRow): number {
  for (const column of key) {
    const [left, right] = [one[column], other[column]];
    if (left === right) continue;
    if (typeof left === "number" && typeof right === "number") return left - right;
    return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)));
  }
  return 0;
}

function isSameRow(one: AnyRow, other: AnyRow): boolean {
  return Object.keys(one).every((column) => isSame(one[column], other[column]));
}

function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) {
    return Buffer.compare(one, other) === 0;
  }
  return one === other;
}
