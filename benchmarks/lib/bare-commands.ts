import { randomUUID } from "node:crypto";

import postgres, { type ReservedSql, type Sql } from "postgres";

const columns = ["seq", "id", "type", "occurred_at", "actor", "subject", "header", "payload"];
const lock = "BEGIN; SELECT size FROM log_head WHERE id = 1 FOR UPDATE";
const header = new Uint8Array(220).fill(0xa5);
const payload = new Uint8Array(256).fill(0x5a);

/**
 * Transactions of the shape that any log in one order takes: lock the row of its head, insert the
 * next events, move the head, commit. Two round trips, and nothing is decided or projected.
 */
export class BareCommands {
  readonly #client: Sql;
  readonly #connection: ReservedSql;

  private constructor(client: Sql, connection: ReservedSql) {
    this.#client = client;
    this.#connection = connection;
  }

  static async open(url: string, schema: string): Promise<BareCommands> {
    const client = postgres(url, { max: 1, connection: { search_path: schema } });
    return new BareCommands(client, await client.reserve());
  }

  /** Appends so many events in one transaction. */
  async record(count: number): Promise<void> {
    const results: unknown = await this.#connection.unsafe(lock);
    const [, [head]] = results as [unknown, [{ size: string }]];
    const size = Number(head.size);
    const rows = Array.from({ length: count }, (_, index) => rowOf(size + index + 1));
    // Sent together: the server runs them in this order.
    await Promise.all([
      this.#connection.unsafe(insertOf(count), rows.flat(), { prepare: true }),
      this.#connection.unsafe("UPDATE log_head SET size = $1 WHERE id = 1", [size + count], {
        prepare: true,
      }),
      this.#connection.unsafe("COMMIT"),
    ]);
  }

  async close(): Promise<void> {
    this.#connection.release();
    await this.#client.end();
  }
}

function rowOf(seq: number): (string | number | Uint8Array)[] {
  const time = new Date().toISOString();
  return [
    seq,
    `${seq.toString(16).padStart(16, "0")}${randomUUID()}`,
    "v1.package.created",
    time,
    "benchmark",
    "acme/app@1.0.0",
    header,
    payload,
  ];
}

function insertOf(rowCount: number): string {
  const places = Array.from({ length: rowCount }, (_, row) => {
    const first = row * columns.length + 1;
    return `(${columns.map((_name, column) => `$${first + column}`).join()})`;
  });
  return `INSERT INTO events (${columns.join()}) VALUES ${places.join()}`;
}
