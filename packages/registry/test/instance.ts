import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDatabase, type Database } from "@store/database";
import { openLog, type EventLog } from "@store/events";
import { openRegistry, type OpenRegistryOptions, type Registry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import type { StorageBackend } from "@store/storage";
import { createTestDatabase } from "@store/testing/postgres";

/** A registry over a real database and memory storage, with time and ids that a test controls. */
export interface TestInstance extends AsyncDisposable {
  readonly registry: Registry;
  readonly database: Database;
  /** The registry's log, to append what no command appends. */
  readonly log: EventLog;
  readonly storage: StorageBackend;
  /** Moves the clock on. */
  advance(ms: number): void;
  /** A second registry on the same opened database and storage. */
  again(options?: Partial<OpenRegistryOptions>): Promise<Registry>;
  /** A second registry as another process would open it: the database is opened once more. */
  apart(options?: Partial<OpenRegistryOptions>): Promise<Registry>;
}

export type Dialect = "sqlite" | "postgres";
export const dialects: readonly Dialect[] = ["sqlite", "postgres"];

const start = Date.parse("2026-01-02T03:04:05.678Z");

/** Ids as UUIDv7 has them, counted instead of drawn, so that two instances can be compared. */
export function countedIds(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `01900000-0000-7000-8000-${count.toString(16).padStart(12, "0")}`;
  };
}

interface TestOptions extends Partial<OpenRegistryOptions> {
  /** Whether SQLite keeps the database in a file, so that it can be opened twice. */
  readonly inFile?: boolean;
}

export async function openTestInstance(
  dialect: Dialect,
  { inFile = false, ...options }: TestOptions = {},
): Promise<TestInstance> {
  const place = await databasePlace(dialect, inFile);
  const database = await openDatabase(place.url);
  const storage = options.backends?.["primary"] ?? createMemoryBackend();
  let now = start;
  const opened: Registry[] = [];
  const again = async (more: Partial<OpenRegistryOptions> = {}): Promise<Registry> => {
    const registry = await openRegistry({
      database,
      backends: { primary: storage },
      actor: "tester",
      clock: () => now,
      ...options,
      ...more,
    });
    opened.push(registry);
    return registry;
  };
  const registry = await again();
  return {
    registry,
    database,
    log: await openLog(database, { clock: () => now }),
    storage,
    again,
    apart: (more = {}) => again({ ...more, database: place.url }),
    advance: (ms) => {
      now += ms;
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of opened) await each.close();
      await database.close();
      await place.remove();
    },
  };
}

interface DatabasePlace {
  readonly url: string;
  remove(): Promise<void>;
}

async function databasePlace(dialect: Dialect, inFile: boolean): Promise<DatabasePlace> {
  if (dialect === "postgres") {
    const { url, drop } = await createTestDatabase();
    return { url, remove: drop };
  }
  if (!inFile) return { url: "sqlite::memory:", remove: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), "store-registry-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  return { url: `sqlite:${join(folder, "store.db")}`, remove };
}

/** The rows of the instance's leases, by kind. */
export async function leaseKinds({ reader, tables }: Database): Promise<string[]> {
  const rows = await reader.select().from(tables.objectLeases);
  return rows.map((lease) => lease.kind).toSorted();
}

/** The bytes of a text, as a stream of one chunk. */
export async function* bytesOf(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** A stream's bytes, joined. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

/** The code of the error that a promise is refused with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error !== null && typeof error === "object" && "code" in error) return String(error.code);
    throw error;
  }
  return "nothing thrown";
}

/** A finalized package with the given files. */
export async function publish(
  registry: Registry,
  coordinates: { namespace?: string; name?: string; version: string; variant?: string },
  files: Readonly<Record<string, string>> = { "a.txt": coordinates.version },
) {
  const pkg = await registry.createPackage({ namespace: "acme", name: "app", ...coordinates });
  for (const [path, content] of Object.entries(files)) {
    await registry.ingestFile(pkg.id, path, bytesOf(content));
  }
  return (await registry.finalizePackage(pkg.id)).package;
}
