import { StoreError } from "@store/identity";
import { openDatabase, type Database } from "@store/database";
import { openRegistry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";
import type { Staged, StorageBackend } from "@store/storage";
import { describe, expect, test, vi } from "vitest";

import { bytesOf, codeOf, dialects, leaseKinds, openTestInstance } from "./instance.ts";

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
const minute = 60 * 1000;

/** A backend whose commits wait at a gate, and a promise that the first has come there. */
function gatedBackend() {
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const memory = createMemoryBackend();
  const wait = async (): Promise<void> => {
    reached.resolve();
    await gate.promise;
  };
  const primary: StorageBackend = overriding(memory, {
    stage: async (options) => {
      const staged = await memory.stage(options);
      const commit: Staged["commit"] = async (address) => {
        await wait();
        return staged.commit(address);
      };
      return overriding(staged, { commit });
    },
  });
  return { primary, open: gate.resolve, reached: reached.promise };
}

/** The same object with some methods replaced. */
function overriding<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe.each(dialects)("the lease on an object on %s", (dialect) => {
  test("is given back by each of several ingests with one idempotency key", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const pkg = await registry.createPackage(coordinates);
    const options = { idempotencyKey: "once" };
    const ingests = Array.from({ length: 4 }, () =>
      registry.ingestFile(pkg.id, "a", bytesOf("a"), options),
    );
    const [first, ...others] = await Promise.all(ingests);
    for (const other of others) expect(other).toEqual(first);
    expect(await leaseKinds(database)).toEqual(["process"]);
    expect(await registry.getPackage(pkg.id)).toMatchObject({ fileCount: 1 });
  });

  test("is left to its time by a registry that closes while the database is away", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const pkg = await registry.createPackage(coordinates);
    await registry.ingestFile(pkg.id, "a", bytesOf("a"));
    const away = new StoreError("database_unavailable", "The database is away.");
    const writing = vi.spyOn(database, "write").mockRejectedValue(away);
    await registry.close();
    writing.mockRestore();
    expect(await leaseKinds(database)).toEqual(["process"]);
  });

  test("must stand when the file is recorded: one that was swept refuses it", async () => {
    const { primary, open, reached } = gatedBackend();
    await using instance = await openTestInstance(dialect, { backends: { primary } });
    const { registry, database } = instance;
    const pkg = await registry.createPackage(coordinates);
    const ingested = registry.ingestFile(pkg.id, "a", bytesOf("a"));
    await reached;
    // The process is stopped for so long that a sweep takes it for dead.
    instance.advance(10 * minute);
    const sweeper = await instance.again();
    expect(await sweeper.sweep()).toMatchObject({ leasesRemoved: 2 });
    open();
    expect(await codeOf(ingested)).toMatch(/^staged_not_found$/);
    expect(await registry.getPackage(pkg.id)).toMatchObject({ fileCount: 0, revision: 0 });
    expect(await registry.ingestFile(pkg.id, "a", bytesOf("a"))).toMatchObject({ sizeBytes: 1 });
    expect(await leaseKinds(database)).toEqual([]);
  });

  test("does not stand in for that of its process, which is renewed beside it", async () => {
    const { primary, open, reached } = gatedBackend();
    await using instance = await openTestInstance(dialect, { backends: { primary }, leaseMs: 400 });
    const { registry, database } = instance;
    const pkg = await registry.createPackage(coordinates);
    const first = registry.ingestFile(pkg.id, "a", bytesOf("a"));
    await reached;
    instance.advance(minute);
    await (await instance.again()).sweep();
    const second = registry.ingestFile(pkg.id, "b", bytesOf("b"));
    await vi.waitFor(async () => expect(await leaseKinds(database)).toEqual(["object", "process"]));
    open();
    expect(await codeOf(first)).toBe("staged_not_found");
    expect(await codeOf(second)).toBe("nothing thrown");
  });
});

test("a lease that cannot be given back at once is given back by the next renewal", async () => {
  const { primary, open, reached } = gatedBackend();
  const database = await openDatabase("sqlite::memory:");
  let writesUntilFailure = Infinity;
  const failing: Database = overriding(database, {
    write: (command) => {
      writesUntilFailure -= 1;
      if (writesUntilFailure !== 0) return database.write(command);
      return Promise.reject(new StoreError("database_unavailable", "The disk is away."));
    },
  });
  const options = { database: failing, backends: { primary }, actor: "tester", leaseMs: 200 };
  const registry = await openRegistry(options);
  const pkg = await registry.createPackage(coordinates);
  const ingested = registry.ingestFile(pkg.id, "a", bytesOf("a"));
  await reached;
  await registry.abandonPackage(pkg.id);
  // The command that records the file is refused, and then giving the lease back fails.
  writesUntilFailure = 2;
  open();
  expect(await codeOf(ingested)).toBe("package_not_found");
  await vi.waitFor(async () => expect(await leaseKinds(database)).toEqual(["process"]));
  await registry.close();
  expect(await leaseKinds(database)).toEqual([]);
  await database.close();
});
