/** A database in a SQLite file, or in memory. */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { StoreError } from "@store/identity";
import {
  type Migration,
  type SchemaState,
  assertNotNewer,
  assertNotTooNew,
  assertUsable,
  loadMigrations,
} from "../migrations.ts";
import { sqliteTables } from "./schema.ts";
import { ScratchTables } from "../scratch.ts";
import { SqliteConnection, patiently } from "./connection.ts";
import { createDatabaseFile } from "./file.ts";
import { SqliteLocks } from "./locks.ts";
import { migrateSqlite, pendingSqlite } from "./migrate.ts";
import { SqliteMemoryReader, SqliteReader } from "./reader.ts";
import { openSqliteScratch } from "./scratch.ts";
import { sqliteSql } from "./session.ts";
import { SqliteTransactor, schemaStateOf } from "./transactor.ts";
import type { Sql } from "../sql.ts";
import type {
  BatchParticipant,
  Database,
  DatabaseHealth,
  Explainable,
  HeldLock,
  Listener,
  MigrateOptions,
  MigrationReport,
  PendingMigration,
  Scratch,
  WriteTransaction,
} from "../types.ts";
import type { WriterLimits } from "../batch.ts";
import { Writer } from "../writer.ts";

/** Settled options of one open database. */
export interface SqliteOptions extends WriterLimits {
  readonly lockTimeoutMs: number;
  /** Where migrations are, if not with this package. */
  readonly migrationsFolder?: URL;
}

// 32 MiB of pages each; the write-ahead log is cut back to 64 MiB when it was larger.
const writerPragmas = [
  "synchronous = FULL",
  "cache_size = -32768",
  "journal_size_limit = 67108864",
  // A page that many commits change is written back once for all of them: every 32 MiB.
  "wal_autocheckpoint = 8192",
  // Each command's savepoint keeps the pages it changes; in a file, that writes as much again.
  "temp_store = MEMORY",
];
const readerPragmas = ["query_only = ON", "cache_size = -32768"];

/** Opens `path`, creating an empty database where there is none, or `:memory:`. */
export async function openSqlite(path: string, options: SqliteOptions): Promise<Database> {
  const { lockTimeoutMs } = options;
  const migrations = await loadMigrations("sqlite", options.migrationsFolder);
  const inMemory = path === ":memory:";
  // A name of its own, so that a scratch space of this process can be attached to it.
  const location = inMemory ? `file:store-${randomUUID()}?mode=memory&cache=shared` : resolve(path);
  if (!inMemory) createDatabaseFile(location);
  const writer = await SqliteConnection.open(location, writerPragmas, lockTimeoutMs);
  try {
    if (!inMemory) await useWriteAheadLog(writer, lockTimeoutMs);
    const state = await patiently(() => schemaStateOf(writer, migrations), lockTimeoutMs);
    assertNotTooNew(state, migrations);
    const reader = inMemory
      ? writer
      : await SqliteConnection.open(location, readerPragmas, lockTimeoutMs);
    return new SqliteDatabase({ location, inMemory, writer, reader, migrations, options });
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Readers and the writer do not wait for each other only with a write-ahead log. */
async function useWriteAheadLog(writer: SqliteConnection, lockTimeoutMs: number): Promise<void> {
  const [row] = await patiently(() => writer.all("PRAGMA journal_mode = WAL"), lockTimeoutMs);
  if (row?.["journal_mode"] === "wal") return;
  throw new StoreError(
    "unsupported",
    "SQLite cannot keep a write-ahead log here; a database needs a local disk.",
  );
}

interface Parts {
  readonly location: string;
  readonly inMemory: boolean;
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
  readonly migrations: readonly Migration[];
  readonly options: SqliteOptions;
}

class SqliteDatabase implements Database {
  readonly dialect = "sqlite";
  readonly tables = sqliteTables;
  readonly reader: Sql;
  readonly lists: Sql;
  readonly #parts: Parts;
  readonly #writer: Writer;
  readonly #locks: SqliteLocks;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { lockTimeoutMs } = parts.options;
    const memory =
      parts.reader === parts.writer
        ? new SqliteMemoryReader(parts.writer, lockTimeoutMs)
        : undefined;
    this.reader = sqliteSql(memory ?? new SqliteReader(parts.reader, lockTimeoutMs));
    this.lists = this.reader;
    const transactor = new SqliteTransactor({
      connection: parts.writer,
      migrations: parts.migrations,
      lockTimeoutMs,
      onEnd: () => memory?.wake(),
    });
    this.#writer = new Writer(transactor, parts.options);
    this.#locks = new SqliteLocks(parts.inMemory ? undefined : parts.location);
  }

  get queued(): number {
    return this.#writer.queued;
  }

  write<T>(command: (tx: WriteTransaction) => PromiseLike<T>): Promise<T> {
    return this.#writer.write(command);
  }

  join(participant: BatchParticipant): void {
    this.#writer.join(participant);
  }

  migrate(options: MigrateOptions = {}): Promise<MigrationReport> {
    return this.#migrate({ ...options, fresh: false });
  }

  migrateFresh(options: MigrateOptions = {}): Promise<MigrationReport> {
    return this.#migrate({ ...options, fresh: true });
  }

  async pendingMigrations(): Promise<readonly PendingMigration[]> {
    const { migrations, reader } = this.#parts;
    const state = await this.#schemaState();
    assertNotTooNew(state, migrations);
    return await patiently(
      () => pendingSqlite(reader, state.version, migrations),
      this.#lockTimeoutMs,
    );
  }

  async schemaVersion(): Promise<number> {
    return (await this.#schemaState()).version;
  }

  async assertSchemaCurrent(): Promise<void> {
    assertUsable(await this.#schemaState(), this.#parts.migrations);
  }

  async openScratch(): Promise<Scratch> {
    this.#assertOpen();
    const { location, inMemory, migrations } = this.#parts;
    const lockTimeoutMs = this.#lockTimeoutMs;
    assertNotNewer(await this.#schemaState(), migrations);
    const space = await openSqliteScratch({ live: location, inMemory, migrations, lockTimeoutMs });
    return new ScratchTables(space, (work) => this.#writer.exclusive(work));
  }

  listen(): Promise<Listener> {
    return Promise.resolve({ close: () => Promise.resolve() });
  }

  async tryLock(name: string): Promise<HeldLock | undefined> {
    return this.#locks.tryLock(name);
  }

  async explain(query: Explainable): Promise<string> {
    const { sql, params } = query.toSQL();
    const rows = await patiently(
      () => this.#parts.reader.run(`EXPLAIN QUERY PLAN ${sql}`, params, "rows"),
      this.#lockTimeoutMs,
    );
    return Array.isArray(rows) ? rows.map((row: unknown[]) => String(row[3])).join("\n") : "";
  }

  async health(): Promise<DatabaseHealth> {
    this.#assertOpen();
    const started = performance.now();
    const [row] = await patiently(
      () =>
        this.#parts.reader.all(
          "SELECT sqlite_version() AS version, page_count * page_size AS size " +
            "FROM pragma_page_count(), pragma_page_size()",
        ),
      this.#lockTimeoutMs,
    );
    const latencyMs = performance.now() - started;
    return {
      dialect: this.dialect,
      version: String(row?.["version"]),
      schemaVersion: await this.schemaVersion(),
      expectedSchemaVersion: this.#parts.migrations.length,
      latencyMs,
      sizeBytes: Number(row?.["size"]),
      queued: this.#writer.queued,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    this.#locks.close();
    // The last connection to close folds the write-ahead log into the database.
    this.#parts.reader.close();
    this.#parts.writer.close();
  }

  async #migrate(how: MigrateOptions & { readonly fresh: boolean }): Promise<MigrationReport> {
    const { writer, migrations } = this.#parts;
    const lockTimeoutMs = this.#lockTimeoutMs;
    return await this.#writer.exclusive(() =>
      migrateSqlite(writer, { ...how, migrations, lockTimeoutMs }),
    );
  }

  async #schemaState(): Promise<SchemaState> {
    this.#assertOpen();
    const { migrations, reader } = this.#parts;
    return await patiently(() => schemaStateOf(reader, migrations), this.#lockTimeoutMs);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreError("closed", "The database is closed.");
  }

  get #lockTimeoutMs(): number {
    return this.#parts.options.lockTimeoutMs;
  }
}
