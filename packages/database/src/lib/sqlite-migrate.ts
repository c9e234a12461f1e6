/** Migrations on SQLite. */
import { getTableName } from "drizzle-orm";
import {
  type AppliedMigration,
  type Migration,
  createMigrationsTable,
  pendingMigrations,
} from "./migrations.ts";
import { sqliteTables } from "./schema-sqlite.ts";
import { type SqliteConnection, patiently } from "./sqlite-connection.ts";
import { schemaVersionOf } from "./sqlite-transactor.ts";
import type { MigrationReport } from "./types.ts";

/** Applies what is missing in one transaction; processes that migrate at once take turns. */
export async function migrateSqlite(
  connection: SqliteConnection,
  migrations: readonly Migration[],
  options: { fresh: boolean; lockTimeoutMs: number },
): Promise<MigrationReport> {
  await patiently(() => connection.run("BEGIN IMMEDIATE", [], "changes"), options.lockTimeoutMs);
  try {
    if (options.fresh) dropTables(connection);
    const report = applyPending(connection, migrations);
    connection.exec("COMMIT");
    return report;
  } catch (error) {
    if (connection.inTransaction) connection.exec("ROLLBACK");
    throw error;
  }
}

function applyPending(
  connection: SqliteConnection,
  migrations: readonly Migration[],
): MigrationReport {
  const from = schemaVersionOf(connection);
  const pending = pendingMigrations(from === 0 ? [] : readApplied(connection), migrations);
  connection.exec(createMigrationsTable);
  for (const { version, name, sha256, sql } of pending) {
    connection.exec(sql);
    connection.all(
      "INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)",
      version,
      name,
      sha256,
      new Date().toISOString(),
    );
  }
  return { from, to: migrations.length, applied: pending.map(({ name }) => name) };
}

function readApplied(connection: SqliteConnection): AppliedMigration[] {
  const rows = connection.all("SELECT version, name, sha256 FROM schema_migrations");
  return rows.map((row) => ({
    version: Number(row["version"]),
    name: String(row["name"]),
    sha256: String(row["sha256"]),
  }));
}

function dropTables(connection: SqliteConnection): void {
  for (const table of Object.values(sqliteTables)) {
    connection.exec(`DROP TABLE IF EXISTS ${getTableName(table)}`);
  }
  connection.exec("DROP TABLE IF EXISTS schema_migrations");
}
