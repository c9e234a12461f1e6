/** Migrations on PostgreSQL, beside servers that go on. */
import { setTimeout as sleep } from "node:timers/promises";
import { getTableName } from "drizzle-orm";
import { StoreError, isStoreError } from "@store/identity";
import { indexStatementsOf, textInside } from "./index-statements.ts";
import {
  type AppliedMigration,
  type Migration,
  type SchemaState,
  assertNotNewer,
  assertNotTooNew,
  createMigrationsTable,
  pendingMigrations,
} from "../migrations.ts";
import type { PostgresSessionConnection } from "./connection.ts";
import { isPassingConflict, isLockTimeout } from "./errors.ts";
import { advisoryKey } from "./url.ts";
import { appliedOf, postgresSchemaOf } from "../schema-state.ts";
import { postgresTables } from "./schema.ts";
import type { MigrateOptions, MigrationReport, MigrationStep } from "../types.ts";

/** Who waits for a lock holds up all who come after it, so nobody waits for long. */
const lockTimeoutMs = 1_000;
/** For how long a migration tries again to get its locks. */
const patienceMs = 300_000;
const shortestPauseMs = 100;
const longestPauseMs = 2_000;
const turnPauseMs = 200;

/** What is migrated, and how. */
export interface PostgresMigration extends MigrateOptions {
  readonly schema: string;
  readonly migrations: readonly Migration[];
  /** Whether everything is dropped first. */
  readonly fresh: boolean;
}

/** Applies what is missing; processes that migrate at once take turns. */
export async function migratePostgres(
  session: PostgresSessionConnection,
  migration: PostgresMigration,
): Promise<MigrationReport> {
  const { schema } = migration;
  await takeTurn(session, schema);
  await createSchema(session, schema);
  return await new Migrating(session, migration).run();
}

/**
 * The lock is the session's. It is asked for and not waited for: a session that waits inside a
 * statement is waited for in turn by who makes an index.
 */
async function takeTurn(session: PostgresSessionConnection, schema: string): Promise<void> {
  const key = advisoryKey(`migrate ${schema}`);
  for (;;) {
    const { rows } = await session.batch(`SELECT pg_try_advisory_lock(${key})`);
    if (rows[0]?.[0] === true) return;
    await sleep(turnPauseMs);
  }
}

async function createSchema(session: PostgresSessionConnection, schema: string): Promise<void> {
  // "IF NOT EXISTS" would need the right to create even where the schema is there.
  const { rows } = await session.batch(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`);
  if (rows.length === 0) await session.batch(`CREATE SCHEMA "${schema}"`);
}

class Migrating {
  readonly #session: PostgresSessionConnection;
  readonly #migration: PostgresMigration;

  constructor(session: PostgresSessionConnection, migration: PostgresMigration) {
    this.#session = session;
    this.#migration = migration;
  }

  async run(): Promise<MigrationReport> {
    const { migrations, fresh } = this.#migration;
    const { version } = await this.#assertKnown();
    const pending = pendingMigrations(fresh ? [] : await this.#applied(), migrations);
    if (fresh || version === 0) await this.#applyAll(pending);
    else for (const each of pending) await this.#apply(each);
    return {
      from: fresh ? 0 : version,
      to: Math.max(fresh ? 0 : version, migrations.length),
      applied: pending.map(({ name }) => name),
    };
  }

  async #assertKnown(): Promise<SchemaState> {
    const { migrations, fresh } = this.#migration;
    const state = await postgresSchemaOf((text) => this.#rows(text), migrations);
    // Who drops everything would leave behind what it does not know.
    if (fresh) assertNotNewer(state, migrations);
    else assertNotTooNew(state, migrations);
    return state;
  }

  /** A new schema is made in one transaction, with its indexes. */
  async #applyAll(pending: readonly Migration[]): Promise<void> {
    await this.#inTransaction(pending[0], async () => {
      if (this.#migration.fresh) await this.#dropTables();
      await this.#session.batch(createMigrationsTable);
      for (const each of pending) {
        await this.#session.batch(textInside(each));
        await this.#record(each);
      }
    });
    for (const { version, name } of pending) this.#tell({ version, name, status: "applied" });
  }

  async #apply(migration: Migration): Promise<void> {
    const { version, name, outsideTransaction } = migration;
    this.#tell({ version, name, status: "applying" });
    if (outsideTransaction) await this.#makeIndexes(migration);
    await this.#inTransaction(migration, async () => {
      await this.#addMissingColumn();
      if (!outsideTransaction) await this.#session.batch(migration.sql);
      await this.#record(migration);
    });
    this.#tell({ version, name, status: "applied" });
  }

  /**
   * Runs `work` with the lock that all batches begin with, so that none of them meets half of it.
   * Where a lock is not to be had soon, those who wait behind are let through first.
   */
  async #inTransaction(migration: Migration | undefined, work: () => Promise<void>): Promise<void> {
    const deadlineMs = performance.now() + patienceMs;
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await this.#session.batch(`BEGIN; SET LOCAL lock_timeout = ${lockTimeoutMs}`);
        await this.#lockHead();
        await work();
        await this.#session.batch("COMMIT");
        return;
      } catch (error) {
        if (!this.#session.isLost) await this.#session.batch("ROLLBACK");
        if (!isLockTimeout(error) && !isPassingConflict(error)) throw error;
        if (performance.now() > deadlineMs) throw stayedLocked(error);
      }
      if (migration !== undefined) {
        const { version, name } = migration;
        this.#tell({ version, name, status: "waiting" });
      }
      await sleep(pauseMs * (0.5 + Math.random() / 2));
    }
  }

  async #makeIndexes(migration: Migration): Promise<void> {
    const { version, name } = migration;
    // Making an index waits for those who write, and holds up nobody meanwhile.
    await this.#session.batch("SET lock_timeout = 0");
    for (const { index, text } of indexStatementsOf(migration)) {
      this.#tell({ version, name, status: "applying", index });
      await this.#makeIndex(index, text);
    }
  }

  async #makeIndex(index: string, text: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const [[isValid] = []] = await this.#rows(
        `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('${index}')`,
      );
      if (isValid === true) return;
      // What was cut off has left an index that is kept up and never used.
      if (isValid === false) await this.#session.batch(`DROP INDEX CONCURRENTLY ${index}`);
      try {
        await this.#session.batch(text);
        return;
      } catch (error) {
        if (attempt === 5 || !isPassingConflict(error)) throw error;
      }
    }
  }

  /** Where there is no head yet, its table is what batches lock. */
  async #lockHead(): Promise<void> {
    if (!(await this.#exists("log_head"))) return;
    const { rows } = await this.#session.batch("SELECT 1 FROM log_head WHERE id = 1 FOR UPDATE");
    if (rows.length === 0) await this.#session.batch("LOCK TABLE log_head IN EXCLUSIVE MODE");
  }

  async #applied(): Promise<AppliedMigration[]> {
    if (!(await this.#exists("schema_migrations"))) return [];
    return appliedOf(await this.#rows("SELECT version, name, sha256 FROM schema_migrations"));
  }

  /** Older code has made the table without it. */
  async #addMissingColumn(): Promise<void> {
    const rows = await this.#rows(
      "SELECT FROM pg_attribute WHERE attrelid = 'schema_migrations'::regclass " +
        "AND attname = 'compatible_from' AND NOT attisdropped",
    );
    if (rows.length > 0) return;
    await this.#session.batch("ALTER TABLE schema_migrations ADD COLUMN compatible_from integer");
  }

  async #record({ version, name, sha256, compatibleFrom }: Migration): Promise<void> {
    await this.#session.execute(
      "INSERT INTO schema_migrations (version, name, sha256, applied_at, compatible_from) " +
        "VALUES ($1, $2, $3, $4, $5)",
      [version, name, sha256, new Date().toISOString(), compatibleFrom],
      "changes",
    );
  }

  async #dropTables(): Promise<void> {
    const names = Object.values(postgresTables).map((table) => getTableName(table));
    const all = [...names, "schema_migrations"].join(", ");
    await this.#session.batch(`DROP TABLE IF EXISTS ${all}`);
  }

  async #exists(table: string): Promise<boolean> {
    const [[isThere] = []] = await this.#rows(`SELECT to_regclass('${table}') IS NOT NULL`);
    return isThere === true;
  }

  async #rows(text: string): Promise<unknown[][]> {
    return (await this.#session.batch(text)).rows;
  }

  #tell(step: MigrationStep): void {
    this.#migration.onStep?.(step);
  }
}

function stayedLocked(cause: unknown): StoreError {
  const detail = isStoreError(cause) ? cause.message : String(cause);
  return new StoreError(
    "database_unavailable",
    `A migration did not get its locks within ${patienceMs} ms (${detail}); what was applied ` +
      "stays. End what holds them, such as a long query, and migrate again.",
    { cause, context: { limit: patienceMs } },
  );
}
