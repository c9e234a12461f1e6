import type { NewRow, Sql, Tables } from "@store/database";

import type { StoredEvent } from "./stored-event.ts";

// SQLite binds at most 32,766 values to a statement, PostgreSQL 65,535; a row has eight.
const maxStatementRows = 1_000;
// A payload travels to PostgreSQL as hexadecimal text, so a statement is held in memory twice over.
const maxStatementBytes = 16 * 1024 * 1024;

/** Inserts the events of a batch: in one statement, unless they are very many or very large. */
export async function insertEvents(
  sql: Sql,
  { events }: Tables,
  gathered: readonly StoredEvent[],
): Promise<void> {
  let rows: NewRow<"events">[] = [];
  let sizeBytes = 0;
  for (const { payloadSha256: _, ...row } of gathered) {
    const full = rows.length === maxStatementRows;
    if (full || (rows.length > 0 && sizeBytes + row.payload.byteLength > maxStatementBytes)) {
      await sql.insert(events).values(rows);
      rows = [];
      sizeBytes = 0;
    }
    rows.push(row);
    sizeBytes += row.payload.byteLength;
  }
  if (rows.length > 0) await sql.insert(events).values(rows);
}
