import {
  differingRows,
  logTables,
  openDatabase,
  viewTables,
  type Database,
  type TableName,
} from "@store/database";
import { openLog } from "@store/events";
import { parseContentAddress } from "@store/identity";
import { openRegistry, type Registry } from "@store/registry";
import type { CopySide } from "@store/registry/instance-copy";
import { createMemoryBackend } from "@store/storage/memory";
import { verifyObject, type StorageBackend } from "@store/storage";
import { createTestDatabase } from "@store/testing/postgres";
import { expect } from "vitest";

import { bytesOf, type Dialect } from "./instance.ts";

/** A place for an instance: a database without tables, and empty backends. */
export interface Place extends CopySide, AsyncDisposable {
  readonly backends: Record<string, StorageBackend>;
  /** A registry on what is there; closed with the place. */
  open(): Promise<Registry>;
}

export async function emptyPlace(
  dialect: Dialect,
  backends: Record<string, StorageBackend> = { primary: createMemoryBackend() },
): Promise<Place> {
  const schema = dialect === "postgres" ? await createTestDatabase() : undefined;
  const database = await openDatabase(schema?.url ?? "sqlite::memory:");
  const opened: Registry[] = [];
  return {
    database,
    backends,
    async open() {
      const { primary } = backends;
      if (primary === undefined) throw new Error("The place has no primary backend.");
      const registry = await openRegistry({
        database,
        backends: { ...backends, primary },
        actor: "tester",
      });
      opened.push(registry);
      return registry;
    },
    async [Symbol.asyncDispose]() {
      for (const registry of opened) await registry.close();
      await database.close();
      await schema?.drop();
    },
  };
}

/** Packages of one file each, finalized; of every fourth another has the same file. */
export async function publishMany(registry: Registry, count: number, from = 0): Promise<void> {
  let next = from;
  const publishNext = async (): Promise<void> => {
    while (next < from + count) {
      const number = next;
      next += 1;
      const names = { namespace: "acme", name: `app${number % 100}`, version: `1.0.${number}` };
      const pkg = await registry.createPackage(names);
      const content = bytesOf(`content of ${number - (number % 4 === 3 ? 1 : 0)}`);
      await registry.ingestFile(pkg.id, "bin/app", content);
      await registry.finalizePackage(pkg.id);
    }
  };
  await Promise.all(Array.from({ length: 32 }, publishNext));
}

/** How many rows of some tables are not the same in two databases. */
export async function rowsApart(
  one: Database,
  other: Database,
  tables: readonly TableName[] = [...logTables, ...viewTables],
): Promise<Record<string, number>> {
  const apart: Record<string, number> = {};
  for (const table of tables) {
    const rows = differingRows(
      { sql: one.reader, tables: one.tables },
      { sql: other.reader, tables: other.tables },
      table,
    );
    const { length } = await Array.fromAsync(rows);
    if (length > 0) apart[table] = length;
  }
  return apart;
}

/** The copies that an instance speaks of and that are not whole at their backend. */
export async function lostCopies({ database, backends }: CopySide): Promise<string[]> {
  const rows = await database.reader.select().from(database.tables.storageLocations);
  const lost: string[] = [];
  for (const { contentAddress, backend: role } of rows) {
    const backend = backends[role];
    const found = backend && (await verifyObject(backend, parseContentAddress(contentAddress)));
    if (found?.status !== "ok") lost.push(`${contentAddress} at ${role}`);
  }
  return lost;
}

/** Holds a copy to being what the source is, and to being an instance that works. */
export async function assertSameInstance(source: CopySide, copy: Place): Promise<void> {
  expect(await rowsApart(source.database, copy.database)).toEqual({});
  const log = await openLog(copy.database);
  expect(await log.verify()).toEqual(await (await openLog(source.database)).head());
  const registry = await copy.open();
  expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  expect(await lostCopies(copy)).toEqual([]);
}

/** A place with packages, of which every fourth has the file of the one before it. */
export async function filledPlace(
  packages: number,
  backends?: Record<string, StorageBackend>,
): Promise<Place> {
  const place = await emptyPlace("sqlite", backends);
  await publishMany(await place.open(), packages);
  return place;
}

/** What a promise is refused with. */
export function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
