import type { Registry, TendReport } from "@store/registry";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import {
  addressesAt,
  copyEvents,
  corrupt,
  differences,
  finish,
  openCopiesWorld,
  store,
  textsOf,
} from "./copies.ts";
import { codeOf, dialects } from "./instance.ts";

const minute = 60_000;

/** Rounds until there is no more to do at once; what they did together. */
async function tend(registry: Registry): Promise<TendReport & { readonly rounds: number }> {
  let copied = 0;
  for (let rounds = 1; ; rounds += 1) {
    const report = await registry.tendCopies();
    copied += report.copied;
    if (!report.more) return { ...report, copied, rounds };
    if (rounds > 100) throw new Error("Tending finds no end.");
  }
}

describe.each(dialects)("a mirror, on %s,", (dialect) => {
  test("gets what was there before it, and then what is new", async () => {
    await using world = await openCopiesWorld(dialect);
    const { backends } = world;
    await store(world.registry, "1.0.0", textsOf("a", 300));
    const registry = await world.again({ placement: { mirrors: ["second", "third"] } });
    expect(await registry.listBackends()).toMatchObject([
      { use: "primary" },
      { use: "mirror" },
      { use: "mirror" },
    ]);
    const first = await tend(registry);
    expect(first).toMatchObject({ copied: 600, problemCount: 0, more: false });
    expect(await tend(registry)).toMatchObject({ copied: 0, rounds: 1 });
    const added = await store(registry, "2.0.0", textsOf("b", 5));
    expect(await tend(registry)).toMatchObject({ copied: 10 });
    for (const backend of [backends.second, backends.third]) {
      expect(await addressesAt(backend)).toEqual(await addressesAt(backends.primary));
    }
    // What it records itself is no work for it.
    expect(await tend(registry)).toMatchObject({ copied: 0 });
    const [address] = added;
    if (!address) throw new Error("A file has an object.");
    await corrupt(backends.second, address);
    await finish(registry.verifyObjects({ backend: "second" }));
    expect(await tend(registry)).toMatchObject({ copied: 1 });
    expect(await finish(registry.verifyObjects())).toMatchObject({ problemCount: 0 });
    expect(await differences(registry)).toEqual([]);
  });

  test("that was evacuated and is a mirror again gets everything back", async () => {
    await using world = await openCopiesWorld(dialect, { placement: { mirrors: ["second"] } });
    const { registry, backends } = world;
    await store(registry, "1.0.0", textsOf("a", 10));
    await tend(registry);
    const without = await world.again({ placement: {} });
    await finish(without.evacuateObjects({ from: "second" }));
    expect(await addressesAt(backends.second)).toEqual([]);
    expect(await tend(registry)).toMatchObject({ copied: 10 });
  });

  test("gets later what could not be copied, and the rest at once", async () => {
    await using world = await openCopiesWorld(dialect, { placement: { mirrors: ["second"] } });
    const { registry, backends } = world;
    const addresses = await store(registry, "1.0.0", textsOf("a", 20));
    const [lost] = addresses;
    if (!lost) throw new Error("A file has an object.");
    const bytes = Buffer.concat(await Array.fromAsync(backends.primary.open(lost)));
    await backends.primary.remove(lost);
    const first = await registry.tendCopies();
    expect(first).toMatchObject({ copied: 19, problemCount: 1, more: true });
    expect(first.problems).toMatchObject([{ address: lost, code: "object_not_found" }]);
    expect(await tend(registry)).toMatchObject({ copied: 0, problemCount: 0 });
    const staged = await backends.primary.stage({ lease: "other" });
    await staged.write(bytes);
    await staged.commit(lost);
    expect(await tend(registry)).toMatchObject({ copied: 0 });
    world.advance(minute);
    expect(await tend(registry)).toMatchObject({ copied: 1, problemCount: 0 });
    world.advance(minute);
    expect(await tend(registry)).toMatchObject({ copied: 0, rounds: 1 });
    expect(await addressesAt(backends.second)).toEqual(addresses.toSorted());
    expect((await copyEvents(registry)).filter((type) => type.endsWith("mended"))).toHaveLength(1);
  });
});

test("a mirror that is away is left alone, tried again, and caught up when it is back", async () => {
  const away = { verb: "stage", when: "before", effect: "fail" } as const;
  const unwell = { verb: "health", when: "before", effect: "fail" } as const;
  const calls = [1, 2, 3, 4, 5, 6, 7, 8];
  const second = withFaults(createMemoryBackend(), [
    ...calls.map((call) => ({ ...away, call })),
    ...calls.map((call) => ({ ...unwell, call })),
  ]);
  await using world = await openCopiesWorld("sqlite", {
    backends: { primary: createMemoryBackend(), second },
    placement: { mirrors: ["second"] },
  });
  const { registry } = world;
  await store(registry, "1.0.0", textsOf("a", 30));
  expect(await registry.tendCopies()).toMatchObject({ copied: 0, more: false });
  expect(await registry.listBackends()).toMatchObject([{}, { status: "failed" }, {}]);
  const struck = second.struck.filter(({ verb }) => verb === "stage").length;
  // Until its time has come nothing is tried but how it is.
  await registry.tendCopies();
  expect(second.struck.filter(({ verb }) => verb === "stage")).toHaveLength(struck);
  let copied = 0;
  for (let round = 0; round < 12; round += 1) {
    world.advance(60 * minute);
    copied += (await tend(registry)).copied;
  }
  expect(copied).toBe(30);
  expect(await registry.listBackends()).toMatchObject([{}, { status: "ok" }, {}]);
  const events = (await copyEvents(registry)).filter((type) => type.startsWith("v1.backend."));
  expect(events.slice(0, 2)).toEqual(["v1.backend.failed", "v1.backend.recovered"]);
});

test("a round that finds nothing to do writes nothing", async () => {
  await using world = await openCopiesWorld("sqlite", { placement: { mirrors: ["second"] } });
  const { registry, database } = world;
  await store(registry, "1.0.0", textsOf("a", 10));
  await tend(registry);
  const positions = () => database.reader.select().from(database.tables.workPositions);
  const before = await positions();
  world.advance(minute);
  expect(await tend(registry)).toMatchObject({ rounds: 1 });
  expect(await positions()).toEqual(before);
});

test("tending that is given up goes on with the next round", async () => {
  await using world = await openCopiesWorld("sqlite", { placement: { mirrors: ["second"] } });
  const { registry, backends } = world;
  await store(registry, "1.0.0", textsOf("a", 10));
  expect(await codeOf(registry.tendCopies({ signal: AbortSignal.abort() }))).toBe("aborted");
  expect(await tend(registry)).toMatchObject({ copied: 10 });
  expect(await addressesAt(backends.second)).toHaveLength(10);
});
