/** The databases that every test of both dialects runs against. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@store/testing/postgres";
import { afterEach } from "vitest";
import { type Database, type DatabaseOptions, openDatabase } from "../src/index.ts";

export type Place = "SQLite in a file" | "SQLite in memory" | "PostgreSQL";

/** What `describe.each` takes. */
export const places: Place[] = ["SQLite in a file", "SQLite in memory", "PostgreSQL"];

/** Those that two processes or two openings can share. */
export const sharedPlaces: Place[] = ["SQLite in a file", "PostgreSQL"];

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Runs after the test, the latest first. */
export function afterTest(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup);
}

/** The URL of a new, empty place. */
export async function newPlace(place: Place): Promise<string> {
  if (place === "SQLite in memory") return "sqlite::memory:";
  if (place === "PostgreSQL") {
    const schema = await createTestDatabase();
    afterTest(() => schema.drop());
    return schema.url;
  }
  return `sqlite:${join(await temporaryFolder(), "store.db")}`;
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "store-database-"));
  afterTest(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a place; closed after the test. */
export async function openPlace(url: string, options?: DatabaseOptions): Promise<Database> {
  const database = await openDatabase(url, options);
  afterTest(() => database.close());
  return database;
}

/** Opens a new place, migrated and with the head that every instance has from its birth. */
export async function openMigrated(place: Place, options?: DatabaseOptions): Promise<Database> {
  const url = await newPlace(place);
  if (place === "SQLite in memory") {
    const database = await openPlace(url, options);
    await database.migrate();
    return database;
  }
  await migrateWithHead(url);
  return await openPlace(url, options);
}

/** A new schema of PostgreSQL, migrated and with its head, which nobody has open. */
export async function newSchema(): Promise<TestDatabase> {
  const schema = await createTestDatabase();
  afterTest(() => schema.drop());
  await migrateWithHead(schema.url);
  return schema;
}

/** Migrates an empty place, and gives it the head that every instance has from its birth. */
export async function migrateWithHead(url: string): Promise<void> {
  const database = await openDatabase(url);
  await database.migrate();
  await createHead(database);
  await database.close();
}

/** Writes the row that is the lock on PostgreSQL. */
export async function createHead(database: Database): Promise<void> {
  const bytes = new Uint8Array(0);
  const head = { id: 1, logId: "log", size: 0, root: bytes, frontier: bytes };
  await database.write(async (tx) => {
    await tx.sql.insert(tx.tables.logHead).values({ ...head, lastOccurredAt: "", lastEventId: "" });
  });
}
