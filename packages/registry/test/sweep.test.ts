import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test, vi } from "vitest";

import { bytesOf, codeOf, dialects, openTestInstance } from "./instance.ts";

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
const minute = 60 * 1000;

describe.each(dialects)("a sweep on %s", (dialect) => {
  test("discards what an expired lease protected, never a living process's", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, storage } = instance;
    const staged = await storage.stage({ lease: "dead-process" });
    await staged.write(new Uint8Array(10));
    const pkg = await registry.createPackage(coordinates);
    const gate = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3_000_000);
      reading.resolve();
      await gate.promise;
      yield new Uint8Array(1);
    };
    const ingested = registry.ingestFile(pkg.id, "big", source());
    await reading.promise;
    const sweeper = await instance.again();
    expect(await sweeper.sweep()).toMatchObject({ stagedDiscarded: 1, stagedBytes: 10 });
    gate.resolve();
    expect(await ingested).toMatchObject({ sizeBytes: 3_000_001 });
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
  });

  test("lets an open package lapse after its time, counted from its last change", async () => {
    await using instance = await openTestInstance(dialect, { openPackageMs: 10 * minute });
    const { registry } = instance;
    const pkg = await registry.createPackage(coordinates);
    instance.advance(9 * minute);
    await registry.ingestFile(pkg.id, "a", bytesOf("a"));
    instance.advance(9 * minute);
    expect(await registry.sweep()).toMatchObject({ packagesExpired: 0 });
    instance.advance(minute);
    expect(await registry.sweep()).toMatchObject({ packagesExpired: 1 });
    expect(await codeOf(registry.getPackage(pkg.id))).toBe("package_not_found");
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  });

  test("sweeps what it can where a backend fails, and then says what failed", async () => {
    const primary = withFaults(createMemoryBackend(), [
      { verb: "discardStaged", when: "before", effect: "fail", call: 1 },
    ]);
    const broken = withFaults(createMemoryBackend(), [
      { verb: "listStaged", when: 0, effect: "fail", call: "every" },
    ]);
    const backends = { broken, primary };
    await using instance = await openTestInstance(dialect, { backends, openPackageMs: minute });
    const { registry } = instance;
    for (let count = 0; count < 3; count += 1) {
      const staged = await primary.stage({ lease: "dead-process" });
      await staged.write(new Uint8Array(10));
    }
    await registry.createPackage(coordinates, { idempotencyKey: "key" });
    instance.advance(24 * 60 * minute);
    expect(await codeOf(registry.sweep())).toBe("storage_unavailable");
    expect(await Array.fromAsync(primary.listStaged())).toHaveLength(1);
    expect((await registry.listPackages({ status: "open" })).items).toEqual([]);
    const keys = await instance.database.reader
      .select()
      .from(instance.database.tables.idempotencyKeys);
    expect(keys).toEqual([]);
  });

  test("finds no lease of a file that was added, refused or cut off", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database, storage } = instance;
    const pkg = await registry.createPackage(coordinates);
    await registry.ingestFile(pkg.id, "a", bytesOf("a"));
    const refused = registry.ingestFile(pkg.id, "b", bytesOf("b"), { expect: { sizeBytes: 7 } });
    expect(await codeOf(refused)).toBe("size_mismatch");
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(2_000_000);
      throw new Error("the client went away");
    };
    await expect(registry.ingestFile(pkg.id, "c", broken())).rejects.toThrow(
      "the client went away",
    );
    const leases = await database.reader.select().from(database.tables.objectLeases);
    expect(leases.map((lease) => lease.kind)).toEqual(["process"]);
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
  });

  test("leaves a process that slept through its lease one to go on with", async () => {
    await using instance = await openTestInstance(dialect, { leaseMs: 200 });
    const { registry, database, storage } = instance;
    const pkg = await registry.createPackage(coordinates);
    await registry.ingestFile(pkg.id, "a", bytesOf("a"));
    instance.advance(minute);
    expect(await registry.sweep()).toMatchObject({ leasesRemoved: 1 });
    await vi.waitFor(async () => {
      const leases = await database.reader.select().from(database.tables.objectLeases);
      expect(leases.map((lease) => lease.kind)).toEqual(["process"]);
    });
    await registry.ingestFile(pkg.id, "b", bytesOf(new Uint8Array(2_000_000)));
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
  });
});
