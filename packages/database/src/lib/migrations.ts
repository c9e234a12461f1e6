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
  /** Code whose schema is this version or later goes on working beside it. */
  readonly compatibleFrom: number;
  /** Whether PostgreSQL runs its statements one by one, for indexes that are made meanwhile. */
  readonly outsideTransaction: boolean;
}

/** A row of `schema_migrations`. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
}

/** What a database says of its schema. */
export interface SchemaState {
  /** The newest migration that was applied: 0 for an empty database. */
  readonly version: number;
  /** The oldest code that works with it, where it is newer than this code. */
  readonly usableFrom: number;
}

/** Where the files are: beside the sources, beside `dist`, or beside a bundle in `dist`. */
const folders = ["../../migrations/", "../migrations/"];

/** The table that records what was applied; the same statement suits both dialects. */
export const createMigrationsTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version integer NOT NULL PRIMARY KEY,
  name text NOT NULL,
  sha256 text NOT NULL,
  applied_at text NOT NULL,
  compatible_from integer
)`;

/** Reads the migrations of a dialect, in order, from `folder` where one is given. */
export async function loadMigrations(
  dialect: Database["dialect"],
  folder?: URL,
): Promise<Migration[]> {
  const places = folder === undefined ? folders.map(besideThisFile) : [folder];
  for (const place of places) {
    const url = new URL(`${dialect}/`, place);
    // oxlint-disable-next-line eslint/no-await-in-loop -- the second is a fallback of the first
    const names = await readdir(url).catch(() => []);
    const files = names.filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).toSorted();
    if (files.length === 0) continue;
    // oxlint-disable-next-line eslint/no-await-in-loop -- leaves the loop
    return await Promise.all(files.map((file, index) => loadMigration(url, file, index + 1)));
  }
  throw new StoreError("internal", `The ${dialect} migrations are missing; reinstall Store.`);
}

function besideThisFile(folder: string): URL {
  return new URL(folder, import.meta.url);
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
  const name = file.slice(0, -".sql".length);
  return { version, name, sha256, sql, ...readDirectives(name, version, sql) };
}

const directive = /^-- ([a-z]+(?:-[a-z]+)+)(?:: (\S+))?$/;

/** What the comment at the head of a file says to us: lines such as `-- compatible-from: 2`. */
function readDirectives(
  name: string,
  version: number,
  sql: string,
): Pick<Migration, "compatibleFrom" | "outsideTransaction"> {
  let compatibleFrom = version;
  let outsideTransaction = false;
  for (const line of sql.split("\n")) {
    if (!line.startsWith("--")) break;
    const [, word, value] = directive.exec(line) ?? [];
    if (word === undefined) continue;
    if (word === "outside-transaction" && value === undefined) outsideTransaction = true;
    else if (word === "compatible-from" && /^[1-9]\d*$/.test(value ?? "")) {
      compatibleFrom = Number(value);
    } else
      throw new StoreError("internal", `The migration ${name} says "${line}", which is nothing.`);
  }
  return { compatibleFrom, outsideTransaction };
}

/**
 * Which migrations are still to be applied.
 *
 * @throws StoreError `internal` if a file was changed after it had been applied.
 */
export function pendingMigrations(
  applied: readonly AppliedMigration[],
  known: readonly Migration[],
): Migration[] {
  const byVersion = new Map(applied.map((row) => [row.version, row]));
  return known.filter((migration) => {
    const row = byVersion.get(migration.version);
    if (row !== undefined && row.sha256 !== migration.sha256) throw changed(migration, row);
    return row === undefined;
  });
}

/** Throws unless this code can read and write a schema: its own, or one that is made for it too. */
export function assertUsable(schema: SchemaState, known: readonly Migration[]): void {
  assertNotTooNew(schema, known);
  if (schema.version < known.length) {
    throw new StoreError(
      "schema_outdated",
      `The database has schema ${schema.version}, this version of Store needs ${known.length}; ` +
        "migrate it.",
      { context: { expected: known.length, actual: schema.version } },
    );
  }
}

/** Throws `schema_too_new` if newer code has migrated the database and left this code behind. */
export function assertNotTooNew(schema: SchemaState, known: readonly Migration[]): void {
  if (schema.version <= known.length || schema.usableFrom <= known.length) return;
  throw tooNew(schema, known);
}

/**
 * Throws `schema_too_new` for a newer schema, compatible or not: what rebuilds whole tables must
 * know all of their columns.
 */
export function assertNotNewer(schema: SchemaState, known: readonly Migration[]): void {
  if (schema.version > known.length) throw tooNew(schema, known);
}

function tooNew({ version }: SchemaState, known: readonly Migration[]): StoreError {
  return new StoreError(
    "schema_too_new",
    `The database has schema ${version}, this version of Store knows ${known.length}; ` +
      "use the newer version that migrated it.",
    { context: { expected: known.length, actual: version } },
  );
}

function changed(migration: Migration, row: AppliedMigration): StoreError {
  return new StoreError(
    "internal",
    `The migration ${migration.name} is not the one that was applied; migrations never change.`,
    { context: { expected: row.sha256, actual: migration.sha256 } },
  );
}
