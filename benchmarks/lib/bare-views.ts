import { DatabaseSync, type SQLInputValue } from "node:sqlite";

import type { Databases, Dialect } from "./databases.ts";

/** Reads the events of one database and writes the view rows of it into another, by the driver. */
export interface BareViews {
  /** Rows in all view tables together. */
  readonly rows: number;
  readAndInsert(): Promise<void>;
  /** Empties the tables that were filled. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

const tables = [
  "artifact_packages",
  "artifact_files",
  "objects",
  "storage_locations",
  "tags",
  "package_names",
  "retention_classes",
  "retention_state",
  "retention_holds",
  "metadata_schemas",
];
const selectEvents = "SELECT * FROM events WHERE seq > %s ORDER BY seq LIMIT 1000";

interface Names {
  readonly from: string;
  readonly to: string;
}

/** Both names are those of migrated databases. */
export function openBareViews(
  dialect: Dialect,
  databases: Databases,
  names: Names,
): Promise<BareViews> {
  return dialect === "sqlite" ? openSqlite(databases, names) : openPostgres(databases, names);
}

interface Rows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

function insertOf({ table, columns }: Rows, place: (index: number) => string): string {
  const places = columns.map((_, index) => place(index));
  return `INSERT INTO ${table} (${columns.join()}) VALUES (${places.join()})`;
}

async function openSqlite(databases: Databases, { from, to }: Names): Promise<BareViews> {
  const live = databases.openSqlite(from);
  // As for replay's scratch tables, nothing here has to last.
  const copy = new DatabaseSync(databases.sqlitePath(to));
  copy.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536");
  const views = tables.map((table): Rows => {
    const select = live.prepare(`SELECT * FROM ${table}`);
    const columns = select.columns().map(({ name }) => name);
    select.setReturnArrays(true);
    return { table, columns, rows: select.all() as unknown as unknown[][] };
  });
  const readPage = live.prepare(selectEvents.replace("%s", "?"));
  const inserts = views.map((view) => ({ view, insert: copy.prepare(insertOf(view, () => "?")) }));
  return {
    rows: views.reduce((sum, { rows }) => sum + rows.length, 0),
    readAndInsert: async () => {
      let read = 0;
      for (let last = -1; last !== read;) {
        last = read;
        read = Number(readPage.all(read).at(-1)?.["seq"] ?? read);
      }
      for (const { view, insert } of inserts) {
        copy.exec("BEGIN");
        for (const row of view.rows) insert.run(...(row as SQLInputValue[]));
        copy.exec("COMMIT");
      }
    },
    empty: async () => {
      for (const table of tables) copy.exec(`DELETE FROM ${table}`);
    },
    close: async () => {
      live.close();
      copy.close();
    },
  };
}

async function openPostgres(databases: Databases, { from, to }: Names): Promise<BareViews> {
  const live = await databases.postgresClient({ schema: from });
  const copy = await databases.postgresClient({ schema: to });
  const views: Rows[] = [];
  for (const table of tables) {
    const rows = await live.unsafe(`SELECT * FROM ${table}`);
    const columns = rows.columns.map(({ name }) => name);
    views.push({ table, columns, rows: [...rows].map((row): unknown[] => Object.values(row)) });
  }
  return {
    rows: views.reduce((sum, { rows }) => sum + rows.length, 0),
    readAndInsert: async () => {
      let read = 0;
      for (let last = -1; last !== read;) {
        last = read;
        const page = await live.unsafe(selectEvents.replace("%s", "$1"), [read], { prepare: true });
        read = Number(page.at(-1)?.["seq"] ?? read);
      }
      await copy.begin(async (transaction) => {
        for (const view of views) {
          const insert = insertOf(view, (index) => `$${index + 1}`);
          // One connection runs them in order, without waiting for the answer to the one before.
          await Promise.all(
            view.rows.map((row) => transaction.unsafe(insert, row as string[], { prepare: true })),
          );
        }
      });
    },
    empty: async () => {
      await copy.unsafe(`TRUNCATE ${tables.join()}`);
    },
    close: async () => {
      await live.end();
      await copy.end();
    },
  };
}
