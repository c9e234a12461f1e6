/** An instance in one schema of a PostgreSQL database. */
import { StoreError } from "@store/identity";
import {
  type Migration,
  type SchemaState,
  assertNotNewer,
  assertNotTooNew,
  assertUsable,
  loadMigrations,
  pendingMigrations,
} from "../migrations.ts";
import { PostgresListener } from "./listener.ts";
import { PostgresLocks } from "./locks.ts";
import { migratePostgres } from "./migrate.ts";
import { PostgresPool } from "./pool.ts";
import { type PostgresReplica, PostgresReplicas } from "./replicas.ts";
import { openPostgresScratch } from "./scratch.ts";
import { PostgresServer, withinTime, withoutLimit } from "./server.ts";
import { postgresSql } from "./session.ts";
import { PostgresTransactor } from "./transactor.ts";
import { parsePostgresUrl } from "./url.ts";
import { appliedOf, postgresSchemaOf } from "../schema-state.ts";
import { postgresTables } from "./schema.ts";
import { ScratchTables } from "../scratch.ts";
import type { Sql } from "../sql.ts";
import type { Tables } from "../tables.ts";
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

/** Settled options of one open database; times in milliseconds. */
export interface PostgresOptions extends WriterLimits {
  readonly lockTimeoutMs: number;
  readonly readerConnections: number;
  readonly readerWaitLimit: number;
  readonly readerWaitTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly writeStatementTimeoutMs: number;
  readonly answerGraceMs: number;
  readonly connectTimeoutMs: number;
  readonly replicaUrls: readonly string[];
  readonly replicaLagMs: number;
  /** Where migrations are, if not with this package. */
  readonly migrationsFolder?: URL;
}

/** Connects, and refuses a schema that is newer than this code. */
export async function openPostgres(url: string, options: PostgresOptions): Promise<Database> {
  const place = parsePostgresUrl(url);
  const { connectTimeoutMs, replicaUrls } = options;
  const replicas = replicaUrls.map((text) => {
    const replica = new PostgresServer(parsePostgresUrl(text, place.schema), { connectTimeoutMs });
    return { server: replica, pool: openPool(replica, options) };
  });
  const migrations = await loadMigrations("postgres", options.migrationsFolder);
  let writer: Writer | undefined;
  const server = new PostgresServer(place, {
    connectTimeoutMs,
    onAway: () => writer?.refuseQueued(),
  });
  const { lockTimeoutMs, writeStatementTimeoutMs: timeoutMs, answerGraceMs: graceMs } = options;
  const statements = { timeoutMs, graceMs };
  const transactor = new PostgresTransactor({ server, migrations, lockTimeoutMs, statements });
  writer = new Writer(transactor, options);
  const parts = { server, replicas, transactor, writer, migrations, options };
  const database = new PostgresDatabase(parts);
  try {
    assertNotTooNew(await database.schemaState(), migrations);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

interface Parts {
  readonly server: PostgresServer;
  readonly replicas: readonly PostgresReplica[];
  readonly transactor: PostgresTransactor;
  readonly writer: Writer;
  readonly migrations: readonly Migration[];
  readonly options: PostgresOptions;
}

class PostgresDatabase implements Database {
  readonly dialect = "postgres";
  readonly tables: Tables = postgresTables;
  readonly reader: Sql;
  readonly lists: Sql;
  readonly #parts: Parts;
  readonly #pool: PostgresPool;
  readonly #replicas: PostgresReplicas | undefined;
  readonly #writer: Writer;
  readonly #locks: PostgresLocks;
  readonly #listeners = new Set<Listener>();
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#writer = parts.writer;
    this.#pool = openPool(parts.server, parts.options);
    this.#locks = new PostgresLocks(parts.server);
    this.reader = postgresSql(this.#pool);
    const { replicas, options } = parts;
    if (replicas.length > 0) {
      this.#replicas = new PostgresReplicas(this.#pool, replicas, options.replicaLagMs);
    }
    this.lists = this.#replicas === undefined ? this.reader : postgresSql(this.#replicas);
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
    const { migrations } = this.#parts;
    const state = await this.schemaState();
    assertNotTooNew(state, migrations);
    if (state.version === 0) return migrations;
    const rows = await this.#read("SELECT version, name, sha256 FROM schema_migrations");
    return pendingMigrations(appliedOf(rows), migrations);
  }

  async schemaVersion(): Promise<number> {
    return (await this.schemaState()).version;
  }

  schemaState(): Promise<SchemaState> {
    return postgresSchemaOf((text) => this.#read(text), this.#parts.migrations);
  }

  async assertSchemaCurrent(): Promise<void> {
    assertUsable(await this.schemaState(), this.#parts.migrations);
  }

  async openScratch(): Promise<Scratch> {
    this.#assertOpen();
    const { server, migrations, options } = this.#parts;
    const { lockTimeoutMs } = options;
    assertNotNewer(await this.schemaState(), migrations);
    const space = await openPostgresScratch({ server, migrations, lockTimeoutMs });
    return new ScratchTables(space, (work) => this.#writer.exclusive(work));
  }

  async listen(
    channel: string,
    onNotify: (payload: string | undefined) => void,
  ): Promise<Listener> {
    this.#assertOpen();
    const listener = await PostgresListener.open(this.#parts.server, channel, onNotify);
    this.#listeners.add(listener);
    return {
      close: async () => {
        this.#listeners.delete(listener);
        await listener.close();
      },
    };
  }

  tryLock(name: string): Promise<HeldLock | undefined> {
    return this.#locks.tryLock(name);
  }

  async explain(query: Explainable): Promise<string> {
    const { sql, params } = query.toSQL();
    const rows = await this.#read(`EXPLAIN ${sql}`, params);
    return rows.map(([line]) => String(line)).join("\n");
  }

  async health(): Promise<DatabaseHealth> {
    this.#assertOpen();
    const started = performance.now();
    const [row] = await this.#read(
      "SELECT current_setting('server_version'), sum(pg_total_relation_size(oid)) " +
        "FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema())",
    );
    const latencyMs = performance.now() - started;
    return {
      dialect: this.dialect,
      version: String(row?.[0]),
      schemaVersion: await this.schemaVersion(),
      expectedSchemaVersion: this.#parts.migrations.length,
      latencyMs,
      sizeBytes: Number(row?.[1] ?? 0),
      queued: this.#writer.queued,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { server, transactor } = this.#parts;
    await this.#writer.close();
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    await this.#locks.close();
    await transactor.close();
    await this.#replicas?.close();
    await this.#pool.close();
    await server.close();
  }

  async #migrate(how: MigrateOptions & { readonly fresh: boolean }): Promise<MigrationReport> {
    this.#assertOpen();
    const { migrations, server, options } = this.#parts;
    const { schema } = server.place;
    const session = await server.open(withoutLimit(options.lockTimeoutMs));
    try {
      return await migratePostgres(session, { ...how, schema, migrations });
    } finally {
      await session.close();
    }
  }

  async #read(text: string, parameters: readonly unknown[] = []): Promise<unknown[][]> {
    return (await this.#pool.execute(text, parameters, "rows")) as unknown[][];
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreError("closed", "The database is closed.");
  }
}

function openPool(server: PostgresServer, options: PostgresOptions): PostgresPool {
  const limits = {
    connections: options.readerConnections,
    waitLimit: options.readerWaitLimit,
    waitTimeoutMs: options.readerWaitTimeoutMs,
  };
  const settings = { default_transaction_read_only: "on" };
  const statements = { timeoutMs: options.statementTimeoutMs, graceMs: options.answerGraceMs };
  return new PostgresPool(server, limits, withinTime(statements, settings));
}
