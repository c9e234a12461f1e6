/** SQL that holds two copies of a table against each other, row by row. */
import { getTableName } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { StoreError } from "@store/identity";
import { sqliteTables } from "./sqlite/schema.ts";
import type { ViewTableName } from "./tables.ts";

/** The columns of a table, in order, and which of them are its key. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** The shape of a view; it is the same in both dialects. */
export function shapeOf(table: ViewTableName): TableShape {
  const definition = sqliteTables[table];
  const { columns, primaryKeys } = getTableConfig(definition);
  const key = primaryKeys[0]?.columns.map((column) => column.name) ?? [];
  if (key.length === 0) throw new StoreError("internal", `The table ${table} has no primary key.`);
  return { name: getTableName(definition), columns: columns.map((column) => column.name), key };
}

/** Builds the statements for one table, of which `live` and `rebuilt` are the qualified names. */
export class TwoCopies {
  readonly #shape: TableShape;
  readonly #live: string;
  readonly #rebuilt: string;

  constructor(shape: TableShape, live: string, rebuilt: string) {
    this.#shape = shape;
    this.#live = live;
    this.#rebuilt = rebuilt;
  }

  /** How many keys have a row that the other copy lacks or holds otherwise. */
  get countDifferences(): string {
    return `SELECT count(*) FROM (${this.#differences}) AS d`;
  }

  /** The first of those keys. */
  sampleDifferences(limit: number): string {
    return `${this.#differences} ORDER BY ${list(this.#shape.key)} LIMIT ${limit}`;
  }

  /** Removes live rows that the rebuilt copy lacks or holds otherwise. */
  get removeStale(): string {
    return `DELETE FROM ${this.#live} AS l WHERE ${this.#absent("l", this.#rebuilt, "r")}`;
  }

  /** Adds rebuilt rows whose key is not live. */
  get addMissing(): string {
    const columns = list(this.#shape.columns);
    const same = this.#keyEquals("r", "l");
    return (
      `INSERT INTO ${this.#live} (${columns}) SELECT ${columns} FROM ${this.#rebuilt} AS r ` +
      `WHERE NOT EXISTS (SELECT 1 FROM ${this.#live} AS l WHERE ${same})`
    );
  }

  /** One row of one copy by its key; `parameter` names the nth parameter. */
  rowByKey(copy: "live" | "rebuilt", parameter: (index: number) => string): string {
    const table = copy === "live" ? this.#live : this.#rebuilt;
    const where = this.#shape.key.map((column, n) => `"${column}" = ${parameter(n)}`);
    return `SELECT ${list(this.#shape.columns)} FROM ${table} WHERE ${where.join(" AND ")}`;
  }

  get #differences(): string {
    const key = list(this.#shape.key);
    return (
      `SELECT ${key} FROM ${this.#live} AS l WHERE ${this.#absent("l", this.#rebuilt, "r")} ` +
      `UNION SELECT ${key} FROM ${this.#rebuilt} AS r WHERE ${this.#absent("r", this.#live, "l")}`
    );
  }

  /** No row of `other` equals this one; its key finds it by index. */
  #absent(row: string, other: string, alias: string): string {
    const key = new Set(this.#shape.key);
    const rest = this.#shape.columns
      .filter((column) => !key.has(column))
      .map((column) => ` AND ${row}."${column}" IS NOT DISTINCT FROM ${alias}."${column}"`);
    const same = this.#keyEquals(row, alias) + rest.join("");
    return `NOT EXISTS (SELECT 1 FROM ${other} AS ${alias} WHERE ${same})`;
  }

  #keyEquals(left: string, right: string): string {
    return this.#shape.key
      .map((column) => `${left}."${column}" = ${right}."${column}"`)
      .join(" AND ");
  }
}

function list(columns: readonly string[]): string {
  return columns.map((column) => `"${column}"`).join(", ");
}
