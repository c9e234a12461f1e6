import {
  differingRows,
  keyColumns,
  type Database,
  type DifferingRow,
  type Sql,
  type TableName,
  type Tables,
} from "@store/database";
import { and, eq, getColumns, type Column, type SQL, type Table } from "drizzle-orm";

import { instanceTables } from "./tables.ts";

/** Rows written by one statement. */
const writtenAtOnce = 256;

/**
 * Makes the operational tables that belong to the instance the same as the source's, in one
 * transaction; gives how many rows were not. Of each side a page is in memory.
 */
export async function copyOperationalRows(from: Database, to: Database): Promise<number> {
  const source = { sql: from.reader, tables: from.tables };
  const target = { sql: to.reader, tables: to.tables };
  // Most of the time there is nothing to do, which needs no lock to find out.
  if (!(await differ(source, target))) return 0;
  return to.write(async ({ sql, tables }) => {
    let changed = 0;
    for (const table of instanceTables) {
      const writer = new TableWriter(sql, tables, table);
      for await (const row of differingRows(source, { sql, tables }, table)) {
        await writer.take(row);
        changed += 1;
      }
      await writer.flush();
    }
    return changed;
  });
}

async function differ(source: Place, target: Place): Promise<boolean> {
  for (const table of instanceTables) {
    for await (const _ of differingRows(source, target, table)) return true;
  }
  return false;
}

interface Place {
  readonly sql: Sql;
  readonly tables: Tables;
}

/** Brings rows of a table to what they are in the source. */
class TableWriter {
  readonly #sql: Sql;
  readonly #table: Table;
  readonly #key: readonly (readonly [name: string, column: Column])[];
  #inserted: Record<string, unknown>[] = [];

  constructor(sql: Sql, tables: Tables, name: TableName) {
    this.#sql = sql;
    this.#table = tables[name];
    const columns = getColumns(this.#table);
    this.#key = keyColumns(name).flatMap((each) => {
      const column = columns[each];
      return column === undefined ? [] : [[each, column] as const];
    });
  }

  async take({ one, other }: DifferingRow<TableName>): Promise<void> {
    if (other !== undefined) await this.#sql.delete(this.#table).where(this.#keyOf(other));
    if (one !== undefined) this.#inserted.push(one);
    if (this.#inserted.length >= writtenAtOnce) await this.flush();
  }

  async flush(): Promise<void> {
    const rows = this.#inserted;
    this.#inserted = [];
    if (rows.length > 0) await this.#sql.insert(this.#table).values(rows);
  }

  #keyOf(row: Readonly<Record<string, unknown>>): SQL | undefined {
    return and(...this.#key.map(([name, column]) => eq(column, row[name])));
  }
}
