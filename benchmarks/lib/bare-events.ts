import type { StoredEvent } from "@store/events";

import type { Databases, Dialect } from "./databases.ts";

/** Inserts events by the bare driver, into an events table of its own. */
export interface BareEvents {
  /** Inserts as many rows as there are, each `perCommit` of them durable before the next. */
  insert(rows: readonly StoredEvent[], perCommit: number): Promise<void>;
  close(): Promise<void>;
}

/** `name` names a migrated database of these `databases`. */
export function openBareEvents(
  dialect: Dialect,
  databases: Databases,
  name: string,
): Promise<BareEvents> {
  return dialect === "sqlite" ? openSqlite(databases, name) : openPostgres(databases, name);
}

const columns = ["seq", "id", "type", "occurred_at", "actor", "subject", "header", "payload"];

function valuesOf({ seq, id, type, occurredAt, actor, subject, header, payload }: StoredEvent) {
  return [seq, id, type, occurredAt, actor, subject, header, payload];
}

async function openSqlite(databases: Databases, name: string): Promise<BareEvents> {
  const database = databases.openSqlite(name);
  const insert = database.prepare(
    `INSERT INTO events (${columns.join()}) VALUES (${columns.map(() => "?").join()})`,
  );
  return {
    insert: async (rows, perCommit) => {
      for (const part of partsOf(rows, perCommit)) {
        database.exec("BEGIN IMMEDIATE");
        for (const row of part) insert.run(...valuesOf(row));
        database.exec("COMMIT");
      }
    },
    close: async () => database.close(),
  };
}

async function openPostgres(databases: Databases, name: string): Promise<BareEvents> {
  const client = await databases.postgresClient({ schema: name });
  return {
    insert: async (rows, perCommit) => {
      for (const part of partsOf(rows, perCommit)) {
        // A statement alone is a transaction: nothing takes fewer round trips.
        await client.unsafe(insertOf(part.length), part.flatMap(valuesOf), { prepare: true });
      }
    },
    close: () => client.end(),
  };
}

function insertOf(rowCount: number): string {
  const places = Array.from({ length: rowCount }, (_, row) => {
    const first = row * columns.length + 1;
    return `(${columns.map((_name, column) => `$${first + column}`).join()})`;
  });
  return `INSERT INTO events (${columns.join()}) VALUES ${places.join()}`;
}

function* partsOf<Row>(rows: readonly Row[], length: number): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += length) {
    yield rows.slice(start, start + length);
  }
}
