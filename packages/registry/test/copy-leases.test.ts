import { contentAddress, Digest } from "@store/identity";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { Leases } from "../src/lib/leases.ts";
import { addressesAt, finish, openCopiesWorld, placesOf, store, textsOf } from "./copies.ts";
import { dialects, openTestInstance } from "./instance.ts";

const start = Date.parse("2026-01-02T03:04:05.678Z");

describe.each(dialects)("leases on copies, on %s,", (dialect) => {
  test("end by their time where a removal failed, though their process lives", async () => {
    const second = withFaults(createMemoryBackend(), [
      { verb: "remove", when: "after", effect: "fail", call: 1 },
    ]);
    const backends = { primary: createMemoryBackend(), second };
    const leaseMs = 200;
    await using world = await openCopiesWorld(dialect, { backends, leaseMs });
    const { registry, database } = world;
    const [address = contentAddress(Digest.of("blake3", new Uint8Array(32)))] = await store(
      registry,
      "1.0.0",
      textsOf("a", 1),
    );
    await finish(registry.replicateObjects({ to: "second" }));
    const failed = await finish(registry.evacuateObjects({ from: "second" }));
    expect(failed.problems).toMatchObject([{ address, code: "storage_unavailable" }]);
    await finish(registry.verifyObjects({ backend: "second" }));
    expect(await placesOf(registry, address)).toEqual(["primary ok", "second missing"]);
    // The removal may still be on its way.
    expect(await finish(registry.replicateObjects({ to: "second" }))).toMatchObject({
      problems: [{ address, code: "precondition_failed" }],
    });
    const { objectLeases: t } = database.tables;
    const ends = async (): Promise<string> => {
      const rows = await database.reader.select().from(t).where(eq(t.kind, "process"));
      return rows[0]?.expiresAt ?? "";
    };
    // In two steps, with a renewal between them.
    world.advance(leaseMs / 2);
    for (const before = await ends(); (await ends()) === before;) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    world.advance(leaseMs / 2 + 1);
    expect(await finish(registry.replicateObjects({ to: "second" }))).toMatchObject({
      changed: 1,
      problemCount: 0,
    });
    expect(await placesOf(registry, address)).toEqual(["primary ok", "second ok"]);
    expect(await finish(registry.evacuateObjects({ from: "second" }))).toMatchObject({
      problemCount: 0,
    });
    expect(await addressesAt(second)).toEqual([]);
  });

  test("are given back by their holder alone, once another has taken them over", async () => {
    await using world = await openTestInstance(dialect);
    const { database } = world;
    const address = contentAddress(Digest.of("blake3", new Uint8Array(32)));
    let now = start;
    const leases = () => new Leases(database, () => now, 3_600_000);
    const [stopped, next, third] = [leases(), leases(), leases()];
    const lost = await stopped.takeMending(address);
    if (lost === undefined) throw new Error("Nobody else has it.");
    now += 3_600_001;
    expect(await next.takeMending(address)).toBeDefined();
    await stopped.giveBack(lost);
    expect(await third.takeMending(address)).toBeUndefined();
    const recording = database.write(({ sql }) => stopped.giveBackWith(sql, lost));
    await expect(recording).rejects.toMatchObject({ code: "staged_not_found" });
    for (const each of [stopped, next, third]) await each.close();
  });
});

test("a place that two backends lead to is not emptied by one of their names", async () => {
  const place = createMemoryBackend();
  const backends = { primary: createMemoryBackend(), second: place, third: place };
  await using world = await openCopiesWorld("sqlite", { backends });
  const moved = await world.again({ placement: { primary: "second" } });
  const addresses = await store(moved, "1.0.0", textsOf("a", 10));
  const emptying = finish(moved.evacuateObjects({ from: "third" }));
  expect(await emptying).toMatchObject({ objects: 0, done: true });
  await finish(moved.replicateObjects({ to: "third" }));
  const refused = { code: "invalid_argument" };
  await expect(finish(moved.evacuateObjects({ from: "third" }))).rejects.toMatchObject(refused);
  // Nor where the target is that place and holds nothing yet, as far as is known.
  const only = await world.again({ placement: { primary: "primary", readOrder: ["second"] } });
  const toThird = only.evacuateObjects({ from: "second", to: "third" });
  await expect(finish(toThird)).rejects.toMatchObject(refused);
  expect(await addressesAt(place)).toEqual(addresses.toSorted());
  const corrected = await world.again({ backends: { primary: backends.primary, second: place } });
  expect(await finish(corrected.evacuateObjects({ from: "second" }))).toMatchObject({
    objects: 10,
    problemCount: 0,
  });
  expect(await addressesAt(backends.primary)).toEqual(addresses.toSorted());
  expect(await addressesAt(place)).toEqual([]);
});
