/** Migrations on PostgreSQL. */
import { getTableName } from "drizzle-orm";
import {
  type AppliedMigration,
  type Migration,
  createMigrationsTable,
  pendingMigrations,
} from "./migrations.ts";
import type { PostgresSessionConnection } from "./postgres-connection.ts";
import { advisoryKey } from "./postgres-url.ts";
import { postgresTables } from "./schema-postgres.ts";
import type { MigrationReport } from "./types.ts";

/** Applies what is missing in one transaction; processes that migrate at once take turns. */
export async function migratePostgres(
  session: PostgresSessionConnection,
  migrations: readonly Migration[],
  options: { schema: string; fresh: boolean },
): Promise<MigrationReport> {
  const { schema, fresh } = options;
  await session.batch(`BEGIN; SELECT pg_advisory_xact_lock(${advisoryKey(`migrate ${schema}`)})`);
  try {
    await createSchema(session, schema);
    await lockHead(session);
    if (fresh) await dropTables(session);
    const report = await applyPending(session, migrations);
    await session.batch("COMMIT");
    return report;
  } catch (error) {
    if (!session.isLost) await session.batch("ROLLBACK");
    throw error;
  }
}

async function applyPending(
  session: PostgresSessionConnection,
  migrations: readonly Migration[],
): Promise<MigrationReport> {
  const applied = await readApplied(session);
  const pending = pendingMigrations(applied, migrations);
  await session.batch(createMigrationsTable);
  for (const { version, name, sha256, sql } of pending) {
    await session.batch(sql);
    await session.execute(
      "INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)",
      [version, name, sha256, new Date().toISOString()],
      "changes",
    );
  }
  const from = Math.max(0, ...applied.map(({ version }) => version));
  return { from, to: migrations.length, applied: pending.map(({ name }) => name) };
}

async function createSchema(session: PostgresSessionConnection, schema: string): Promise<void> {
  // "IF NOT EXISTS" would need the right to create even where the schema is there.
  const { rows } = await session.batch(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`);
  if (rows.length === 0) await session.batch(`CREATE SCHEMA "${schema}"`);
}

/** Waits for the batches that run, and makes later ones see the new schema before they start. */
async function lockHead(session: PostgresSessionConnection): Promise<void> {
  if (await exists(session, "log_head")) {
    await session.batch("LOCK TABLE log_head IN ACCESS EXCLUSIVE MODE");
  }
}

async function readApplied(session: PostgresSessionConnection): Promise<AppliedMigration[]> {
  if (!(await exists(session, "schema_migrations"))) return [];
  const { rows } = await session.batch("SELECT version, name, sha256 FROM schema_migrations");
  return rows.map(([version, name, sha256]) => ({
    version: Number(version),
    name: String(name),
    sha256: String(sha256),
  }));
}

async function exists(session: PostgresSessionConnection, table: string): Promise<boolean> {
  const { rows } = await session.batch(`SELECT to_regclass('${table}') IS NOT NULL`);
  return rows[0]?.[0] === true;
}

async function dropTables(session: PostgresSessionConnection): Promise<void> {
  const names = Object.values(postgresTables).map((table) => getTableName(table));
  await session.batch(`DROP TABLE IF EXISTS ${[...names, "schema_migrations"].join(", ")}`);
}
