import { StoreError } from "@store/identity";
import type { StorageBackend } from "@store/storage";
import { withDeadlines } from "@store/storage/deadline";
import { withFaults, type CallVerb, type FaultyBackend } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { bytesOf, collect, openTestInstance } from "./instance.ts";

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
const content = new Uint8Array(3_000_000).fill(1);
const pushVerbs = ["stage", "write", "commit", "stat"] as const satisfies readonly CallVerb[];

const cases = pushVerbs.flatMap((verb) =>
  (["before", "after"] as const).flatMap((when) =>
    (["fail", "hang"] as const).map((effect) => ({ verb, when, effect })),
  ),
);

/** A memory backend that has one fault, behind the deadline that every instance has. */
function faulty(fault: (typeof cases)[number]): {
  readonly backend: FaultyBackend;
  readonly primary: StorageBackend;
} {
  const backend = withFaults(createMemoryBackend(), [fault]);
  return { backend, primary: withDeadlines(backend, { answerMs: 50, durableMs: 50 }) };
}

describe("a push to a backend", () => {
  test.each(cases)("whose $verb does $effect $when its effect", async (fault) => {
    const { backend, primary } = faulty(fault);
    await using instance = await openTestInstance("sqlite", { backends: { primary } });
    const { registry, database } = instance;
    const pkg = await registry.createPackage(coordinates);
    // The registry looks at the backend only for an object that it knows already.
    if (fault.verb === "stat") await registry.ingestFile(pkg.id, "first", bytesOf(content));

    const error: unknown = await registry
      .ingestFile(pkg.id, "file", bytesOf(content))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: "storage_unavailable" });
    expect(backend.struck).toHaveLength(1);
    const before = (await registry.listFiles(pkg.id)).items.map((file) => file.path);
    expect(before).toEqual(fault.verb === "stat" ? ["first"] : []);
    backend.release();

    const added = await registry.ingestFile(pkg.id, "file", bytesOf(content));
    const { package: done } = await registry.finalizePackage(pkg.id);
    expect((await registry.verifyPackage(done.id)).problems).toEqual([]);
    const file = await registry.getFile(pkg.id, "file");
    expect((await collect(file.body)).byteLength).toBe(added.sizeBytes);
    const leases = await database.reader.select().from(database.tables.objectLeases);
    expect(leases.map((lease) => lease.kind)).toEqual(["process"]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });

    // What the backend staged without being able to say so goes with the lease of its process.
    await registry.close();
    await (await instance.again()).sweep();
    expect(await Array.fromAsync(backend.listStaged())).toEqual([]);
  });

  test("that lies when it is read is found out before the stream ends", async () => {
    const backend = withFaults(createMemoryBackend(), [
      { verb: "open", when: 0, effect: "corrupt", call: 1 },
      { verb: "open", when: 1, effect: "truncate", call: 2 },
    ]);
    await using instance = await openTestInstance("sqlite", { backends: { primary: backend } });
    const { registry } = instance;
    const pkg = await registry.createPackage(coordinates);
    await registry.ingestFile(pkg.id, "file", bytesOf(content));
    for (let call = 1; call <= 2; call += 1) {
      const { body } = await registry.getFile(pkg.id, "file");
      await expect(collect(body)).rejects.toMatchObject({ code: "object_corrupt" });
    }
    expect(await collect((await registry.getFile(pkg.id, "file")).body)).toHaveLength(3_000_000);
  });

  test("that is unwell is named by the health report, with its reason", async () => {
    const backend = withFaults(createMemoryBackend(), [
      { verb: "health", when: "before", effect: "hang", call: "every" },
    ]);
    const primary = withDeadlines(backend, { answerMs: 50 });
    await using instance = await openTestInstance("sqlite", { backends: { primary } });
    const report = await instance.registry.health();
    expect(report).toMatchObject({ healthy: false, database: { healthy: true } });
    expect(report.backends["primary"]).toMatchObject({ healthy: false, kind: "memory" });
    expect(report.backends["primary"]?.reason).toBeTruthy();
    backend.release();
  });
});
