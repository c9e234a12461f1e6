/** An instance in one schema of a PostgreSQL database. */
import { StoreError } from "@store/identity";
import type postgres from "postgres";
import { type Migration, assertCurrent, assertNotTooNew, loadMigrations } from "./migrations.ts";
import { createClient, PostgresPool, PostgresSessionConnection } from "./postgres-connection.ts";
import { PostgresListener } from "./postgres-listener.ts";
import { migratePostgres } from "./postgres-migrate.ts";
import { postgresSql } from "./postgres-session.ts";
import { openPostgresScratch } from "./postgres-scratch.ts";
import { PostgresTransactor, sessionSettings } from "./postgres-transactor.ts";
import { parsePostgresUrl, type PostgresPlace } from "./postgres-url.ts";
import { postgresTables } from "./schema-postgres.ts";
import { ScratchTables } from "./scratch.ts";
import type { Sql } from "./sql.ts";
import type { Tables } from "./tables.ts";
import type {
  BatchParticipant,
  Database,
  DatabaseHealth,
  Explainable,
  Listener,
  MigrationReport,
  Scratch,
  WriteTransaction,
} from "./types.ts";
import type { WriterLimits } from "./batch.ts";
import { Writer } from "./writer.ts";

/** Settled options of one open database. */
export interface PostgresOptions extends WriterLimits {
  readonly lockTimeoutMs: number;
  readonly readerConnections: number;
}

/** Connects, and refuses a schema that is newer than this code. */
export async function openPostgres(url: string, options: PostgresOptions): Promise<Database> {
  const place = parsePostgresUrl(url);
  const migrations = await loadMigrations("postgres");
  const readers = createClient(place, {
    connections: options.readerConnections,
    settings: { default_transaction_read_only: "on" },
  });
  const database = new PostgresDatabase({ place, readers, migrations, options });
  try {
    assertNotTooNew(await database.schemaVersion(), migrations);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

interface Parts {
  readonly place: PostgresPlace;
  readonly readers: postgres.Sql;
  readonly migrations: readonly Migration[];
  readonly options: PostgresOptions;
}

class PostgresDatabase implements Database {
  readonly dialect = "postgres";
  readonly tables: Tables = postgresTables;
  readonly reader: Sql;
  readonly #parts: Parts;
  readonly #pool: PostgresPool;
  readonly #transactor: PostgresTransactor;
  readonly #writer: Writer;
  readonly #listeners = new Set<Listener>();
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { place, migrations, options } = parts;
    this.#pool = new PostgresPool(parts.readers);
    this.reader = postgresSql(this.#pool);
    const { lockTimeoutMs } = options;
    this.#transactor = new PostgresTransactor({ place, migrations, lockTimeoutMs });
    this.#writer = new Writer(this.#transactor, options);
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

  migrate(): Promise<MigrationReport> {
    return this.#migrate(false);
  }

  migrateFresh(): Promise<MigrationReport> {
    return this.#migrate(true);
  }

  async schemaVersion(): Promise<number> {
    const [[isThere] = []] = await this.#read(
      "SELECT to_regclass('schema_migrations') IS NOT NULL",
    );
    if (isThere !== true) return 0;
    const [[version] = []] = await this.#read("SELECT max(version) FROM schema_migrations");
    return Number(version ?? 0);
  }

  async assertSchemaCurrent(): Promise<void> {
    assertCurrent(await this.schemaVersion(), this.#parts.migrations);
  }

  async openScratch(): Promise<Scratch> {
    this.#assertOpen();
    const { place, migrations, options } = this.#parts;
    const { lockTimeoutMs } = options;
    const space = await openPostgresScratch({ place, migrations, lockTimeoutMs });
    return new ScratchTables(space, (work) => this.#writer.exclusive(work));
  }

  async listen(
    channel: string,
    onNotify: (payload: string | undefined) => void,
  ): Promise<Listener> {
    this.#assertOpen();
    const listener = await PostgresListener.open(this.#parts.place, channel, onNotify);
    this.#listeners.add(listener);
    return {
      close: async () => {
        this.#listeners.delete(listener);
        await listener.close();
      },
    };
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
    await this.#writer.close();
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    await this.#transactor.close();
    await this.#parts.readers.end({ timeout: 5 });
  }

  #migrate(fresh: boolean): Promise<MigrationReport> {
    const { migrations, place } = this.#parts;
    return this.#writer.exclusive(() =>
      this.#withSession((session) =>
        migratePostgres(session, migrations, { schema: place.schema, fresh }),
      ),
    );
  }

  async #withSession<T>(work: (session: PostgresSessionConnection) => Promise<T>): Promise<T> {
    this.#assertOpen();
    const { place, options } = this.#parts;
    const session = await PostgresSessionConnection.open(
      place,
      sessionSettings(options.lockTimeoutMs),
    );
    try {
      return await work(session);
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
