/** The schema's history: immutable SQL files, applied in order, each once. */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { StoreError } from "@store/identity";
import type { Database } from "./types.ts";

/** One file of `migrations/<dialect>`. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
  readonly sql: string;
}

/** A row of `schema_migrations`. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
}

/** Where the files are: beside the sources, beside `dist`, or beside a bundle in `dist`. */
const folders = ["../../migrations/", "../migrations/"];

/** The table that records what was applied; the same statement suits both dialects. */
export const createMigrationsTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version integer NOT NULL PRIMARY KEY,
  name text NOT NULL,
  sha256 text NOT NULL,
  applied_at text NOT NULL
)`;

/** Reads the migrations of a dialect, in order. */
export async function loadMigrations(dialect: Database["dialect"]): Promise<Migration[]> {
  for (const folder of folders) {
    const url = new URL(`${folder}${dialect}/`, import.meta.url);
    // oxlint-disable-next-line eslint/no-await-in-loop -- the second is a fallback of the first
    const names = await readdir(url).catch(() => []);
    const files = names.filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).toSorted();
    if (files.length === 0) continue;
    // oxlint-disable-next-line eslint/no-await-in-loop -- leaves the loop
    return await Promise.all(files.map((file, index) => loadMigration(url, file, index + 1)));
  }
  throw new StoreError("internal", `The ${dialect} migrations are missing; reinstall Store.`);
}

async function loadMigration(folder: URL, file: string, version: number): Promise<Migration> {
  if (Number(file.slice(0, 4)) !== version) {
    throw new StoreError(
      "internal",
      `The migration ${file} is not number ${version} in its order.`,
    );
  }
  const sql = await readFile(new URL(file, folder), "utf8");
  const sha256 = createHash("sha256").update(sql).digest("hex");
  return { version, name: file.slice(0, -".sql".length), sha256, sql };
}

/**
 * Which migrations are still to be applied.
 *
 * @throws StoreError `schema_too_new` if the database knows more than this code, `internal` if a
 * file was changed after it had been applied.
 */
export function pendingMigrations(
  applied: readonly AppliedMigration[],
  known: readonly Migration[],
): Migration[] {
  assertNotTooNew(applied.length === 0 ? 0 : Math.max(...applied.map((row) => row.version)), known);
  const byVersion = new Map(applied.map((row) => [row.version, row]));
  return known.filter((migration) => {
    const row = byVersion.get(migration.version);
    if (row !== undefined && row.sha256 !== migration.sha256) throw changed(migration, row);
    return row === undefined;
  });
}

/** Throws unless `version` is the newest that this code knows. */
export function assertCurrent(version: number, known: readonly Migration[]): void {
  assertNotTooNew(version, known);
  if (version < known.length) {
    throw new StoreError(
      "schema_outdated",
      `The database has schema ${version}, this version of Store needs ${known.length}; migrate it.`,
      { context: { expected: known.length, actual: version } },
    );
  }
}

/** Throws `schema_too_new` if the database was migrated by newer code. */
export function assertNotTooNew(version: number, known: readonly Migration[]): void {
  if (version > known.length) {
    throw new StoreError(
      "schema_too_new",
      `The database has schema ${version}, this version of Store knows ${known.length}; ` +
        "use the newer version that migrated it.",
      { context: { expected: known.length, actual: version } },
    );
  }
}

function changed(migration: Migration, row: AppliedMigration): StoreError {
  return new StoreError(
    "internal",
    `The migration ${migration.name} is not the one that was applied; migrations never change.`,
    { context: { expected: row.sha256, actual: migration.sha256 } },
  );
}
