/** Scratch space on SQLite: a database of its own beside the live one, attached to it. */
import { randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Migration } from "../migrations.ts";
import { sqliteTables } from "./schema.ts";
import type { ScratchSpace } from "../scratch.ts";
import { SqliteConnection, patiently } from "./connection.ts";
import { createDatabaseFile } from "./file.ts";
import { sqliteSql } from "./session.ts";

const suffix = ".scratch-";
/** A file younger than this may belong to a process that has not locked it yet. */
const sweepAfterMs = 60_000;
const pragmas = [
  // The lock tells other processes that this space is in use; nothing in it has to last.
  "main.locking_mode = EXCLUSIVE",
  "main.journal_mode = MEMORY",
  "main.synchronous = OFF",
  "main.cache_size = -65536",
];

/** How a scratch space is opened. */
export interface SqliteScratchOptions {
  /** The live database: a path, or the URI of one in memory. */
  readonly live: string;
  readonly inMemory: boolean;
  readonly migrations: readonly Migration[];
  readonly lockTimeoutMs: number;
}

/** Creates an empty copy of the schema. */
export async function openSqliteScratch(options: SqliteScratchOptions): Promise<ScratchSpace> {
  const { live, inMemory, lockTimeoutMs } = options;
  if (!inMemory) await sweepScratchFiles(live);
  const location = inMemory
    ? `file:store-scratch-${randomUUID()}?mode=memory&cache=shared`
    : `${live}${suffix}${randomUUID()}`;
  if (!inMemory) createDatabaseFile(location);
  try {
    const connection = await SqliteConnection.open(location, pragmas, lockTimeoutMs);
    try {
      for (const { sql } of options.migrations) connection.exec(sql);
      dropIndexes(connection);
      await patiently(() => connection.run("ATTACH ? AS live", [live], "changes"), lockTimeoutMs);
      connection.exec("PRAGMA live.synchronous = FULL");
    } catch (error) {
      connection.close();
      throw error;
    }
    return new SqliteScratchSpace(connection, inMemory ? undefined : location, lockTimeoutMs);
  } catch (error) {
    if (!inMemory) await removeScratch(location);
    throw error;
  }
}

/** Projecting and comparing go by primary keys, so writing any other index would be in vain. */
function dropIndexes(connection: SqliteConnection): void {
  const indexes = connection.all(
    "SELECT name FROM main.sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
  );
  for (const { name } of indexes) connection.exec(`DROP INDEX main."${String(name)}"`);
}

class SqliteScratchSpace implements ScratchSpace {
  readonly connection: SqliteConnection;
  readonly sql;
  readonly tables = sqliteTables;
  readonly #path: string | undefined;
  readonly #lockTimeoutMs: number;

  constructor(connection: SqliteConnection, path: string | undefined, lockTimeoutMs: number) {
    this.connection = connection;
    this.sql = sqliteSql(connection);
    this.#path = path;
    this.#lockTimeoutMs = lockTimeoutMs;
  }

  name(copy: "live" | "rebuilt", table: string): string {
    return copy === "live" ? `live.${table}` : `main.${table}`;
  }

  parameter(): string {
    return "?";
  }

  async begin(): Promise<void> {
    this.connection.runMapped("BEGIN");
  }

  /** `BEGIN IMMEDIATE` locks every attached database, so nobody writes to the live one. */
  async beginHolding(): Promise<void> {
    await patiently(
      () => this.connection.run("BEGIN IMMEDIATE", [], "changes"),
      this.#lockTimeoutMs,
    );
  }

  async commit(): Promise<void> {
    await patiently(() => this.connection.run("COMMIT", [], "changes"), this.#lockTimeoutMs);
  }

  async rollback(): Promise<void> {
    if (this.connection.inTransaction) this.connection.runMapped("ROLLBACK");
  }

  async drop(): Promise<void> {
    this.connection.close();
    if (this.#path !== undefined) await removeScratch(this.#path);
  }
}

/** Removes spaces beside `live` whose process died. */
async function sweepScratchFiles(live: string): Promise<void> {
  const folder = dirname(live);
  const prefix = `${basename(live)}${suffix}`;
  const now = Date.now();
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || name.endsWith("-journal")) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || now - found.mtimeMs < sweepAfterMs) continue;
    if (isUnused(path)) await removeScratch(path);
  }
}

/** Whether nobody holds the lock that a scratch space keeps for as long as it lives. */
function isUnused(path: string): boolean {
  try {
    const connection = new SqliteConnection(path);
    try {
      connection.exec("BEGIN EXCLUSIVE; ROLLBACK");
      return true;
    } finally {
      connection.close();
    }
  } catch {
    return false;
  }
}

async function removeScratch(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}-journal`, { force: true });
}
