import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { DatabaseSync } from "node:sqlite";

import type { Sql } from "postgres";

import type { Catalogue, ViewRow } from "./catalogue.ts";

const tablesOf = (catalogue: Catalogue): readonly (readonly [string, Iterable<ViewRow>])[] => [
  ["artifact_packages", catalogue.packages()],
  ["artifact_files", catalogue.files()],
  ["package_names", catalogue.names()],
  ["tags", catalogue.tags()],
];

/** Writes a catalogue straight into the views: recording a million packages would take an hour. */
export function seedSqlite(database: DatabaseSync, catalogue: Catalogue): void {
  database.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -1048576; BEGIN");
  for (const [table, rows] of tablesOf(catalogue)) {
    let insert: ReturnType<DatabaseSync["prepare"]> | undefined;
    for (const row of rows) {
      const columns = Object.keys(row);
      insert ??= database.prepare(
        `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`,
      );
      insert.run(...Object.values(row));
    }
  }
  database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

/** The same by COPY; `client` looks names up in the instance's schema. */
export async function seedPostgres(client: Sql, catalogue: Catalogue): Promise<void> {
  for (const [table, rows] of tablesOf(catalogue)) {
    const iterator = rows[Symbol.iterator]();
    const first = iterator.next();
    if (first.done === true) continue;
    const columns = Object.keys(first.value).join();
    const copy = await client.unsafe(`COPY ${table} (${columns}) FROM STDIN`).writable();
    let lines = lineOf(first.value);
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      lines += lineOf(next.value);
      if (lines.length < 256 * 1024) continue;
      if (!copy.write(lines)) await once(copy, "drain");
      lines = "";
    }
    copy.end(lines);
    await finished(copy);
  }
  // As autovacuum would have done in time.
  await client.unsafe("VACUUM (ANALYZE)");
}

/** PostgreSQL's text format of COPY. Nothing in a catalogue needs more than this. */
function lineOf(row: ViewRow): string {
  return `${Object.values(row).map(fieldOf).join("\t")}\n`;
}

function fieldOf(value: ViewRow[string]): string {
  if (value === null) return "\\N";
  if (value instanceof Uint8Array) return `\\\\x${Buffer.from(value).toString("hex")}`;
  return String(value);
}
