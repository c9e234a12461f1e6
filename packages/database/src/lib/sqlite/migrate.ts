/** Migrations on SQLite. */
import { getTableName } from "drizzle-orm";
import {
  type AppliedMigration,
  type Migration,
  assertNotNewer,
  assertNotTooNew,
  createMigrationsTable,
  pendingMigrations,
} from "../migrations.ts";
import { appliedOf } from "../schema-state.ts";
import { sqliteTables } from "./schema.ts";
import { type SqliteConnection, patiently } from "./connection.ts";
import { hasCompatibleFrom, schemaStateOf } from "./transactor.ts";
import type { MigrateOptions, MigrationReport } from "../types.ts";

/** What is migrated, and how. */
export interface SqliteMigration extends MigrateOptions {
  readonly migrations: readonly Migration[];
  /** Whether everything is dropped first. */
  readonly fresh: boolean;
  readonly lockTimeoutMs: number;
}

/**
 * Applies what is missing; processes that migrate at once take turns. A new schema is made in one
 * transaction, a later file has one for itself, so that others write in between.
 */
export async function migrateSqlite(
  connection: SqliteConnection,
  migration: SqliteMigration,
): Promise<MigrationReport> {
  const { migrations, fresh, lockTimeoutMs } = migration;
  const applied: string[] = [];
  let from: number | undefined;
  for (let isFirst = true; ; isFirst = false) {
    await patiently(() => connection.run("BEGIN IMMEDIATE", [], "changes"), lockTimeoutMs);
    try {
      const state = schemaStateOf(connection, migrations);
      // Who drops everything would leave behind what it does not know.
      if (fresh) assertNotNewer(state, migrations);
      else assertNotTooNew(state, migrations);
      if (fresh && isFirst) dropTables(connection);
      const version = fresh && isFirst ? 0 : state.version;
      from ??= version;
      const pending = pendingSqlite(connection, version, migrations);
      const now = version === 0 ? pending : pending.slice(0, 1);
      for (const each of now) apply(connection, each, migration.onStep);
      connection.exec("COMMIT");
      applied.push(...now.map(({ name }) => name));
      for (const { version: each, name } of now) {
        migration.onStep?.({ version: each, name, status: "applied" });
      }
      if (now.length === pending.length) {
        return { from, to: Math.max(version, migrations.length), applied };
      }
    } catch (error) {
      if (connection.inTransaction) connection.exec("ROLLBACK");
      throw error;
    }
  }
}

/** What is still to be applied to a schema of `version`. */
export function pendingSqlite(
  connection: SqliteConnection,
  version: number,
  migrations: readonly Migration[],
): Migration[] {
  return pendingMigrations(version === 0 ? [] : readApplied(connection), migrations);
}

function apply(
  connection: SqliteConnection,
  { version, name, sha256, sql, compatibleFrom }: Migration,
  onStep: MigrateOptions["onStep"],
): void {
  onStep?.({ version, name, status: "applying" });
  connection.exec(createMigrationsTable);
  if (!hasCompatibleFrom(connection)) {
    connection.exec("ALTER TABLE schema_migrations ADD COLUMN compatible_from integer");
  }
  connection.exec(sql);
  connection.all(
    "INSERT INTO schema_migrations (version, name, sha256, applied_at, compatible_from) " +
      "VALUES (?, ?, ?, ?, ?)",
    version,
    name,
    sha256,
    new Date().toISOString(),
    compatibleFrom,
  );
}

function readApplied(connection: SqliteConnection): AppliedMigration[] {
  const rows = connection.all("SELECT version, name, sha256 FROM schema_migrations");
  return appliedOf(rows.map((row) => [row["version"], row["name"], row["sha256"]]));
}

function dropTables(connection: SqliteConnection): void {
  for (const table of Object.values(sqliteTables)) {
    connection.exec(`DROP TABLE IF EXISTS ${getTableName(table)}`);
  }
  connection.exec("DROP TABLE IF EXISTS schema_migrations");
}
