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
  placesOf,
  store,
  textsOf,
} from "./copies.ts";
import { codeOf, collect, dialects, leaseKinds } from "./instance.ts";

describe.each(dialects)("evacuating a backend, on %s,", (dialect) => {
  test("copies what is nowhere else, removes what is, and leaves nothing behind", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends, database } = world;
    const both = await store(registry, "1.0.0", textsOf("a", 10));
    await finish(registry.replicateObjects({ to: "second" }));
    // What was the primary before has objects that the new one lacks.
    const moved = await world.again({ placement: { primary: "second" } });
    const alone = await store(moved, "2.0.0", [...textsOf("b", 10), new Uint8Array(2_500_000)]);
    const before = (await copyEvents(registry)).length;
    const progress = await finish(registry.evacuateObjects({ from: "second" }));
    expect(progress).toMatchObject({ copied: 11, removed: 21 });
    expect(progress).toMatchObject({ objects: 21, total: 21, changed: 32, problemCount: 0 });
    expect(await addressesAt(backends.second)).toEqual([]);
    expect(await addressesAt(backends.primary)).toEqual([...both, ...alone].toSorted());
    const events = (await copyEvents(registry)).slice(before);
    expect(events.filter((type) => type === "v1.object.removed")).toHaveLength(21);
    expect(events.filter((type) => type === "v1.object.copied")).toHaveLength(11);
    for (const address of [...both, ...alone]) {
      expect(await placesOf(registry, address)).toEqual(["primary ok"]);
      const { body } = await registry.openObject(address);
      expect((await collect(body)).length).toBeGreaterThan(0);
    }
    expect(new Set(await leaseKinds(database))).toEqual(new Set(["process"]));
    expect(await differences(registry)).toEqual([]);
  });

  test("trusts no other copy that it has not read, and never removes the last whole one", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const { primary, second } = backends;
    const [one, two, three] = await store(registry, "1.0.0", textsOf("a", 3));
    if (!one || !two || !three) throw new Error("Three files have three objects.");
    await finish(registry.replicateObjects({ to: "second" }));
    // The primary's copies are not what they are thought to be, and the second's neither of one.
    await corrupt(primary, one);
    await primary.remove(two);
    await corrupt(primary, three);
    await corrupt(second, three);
    const progress = await finish(registry.evacuateObjects({ from: "second" }));
    expect(progress).toMatchObject({ objects: 3, problemCount: 1 });
    expect(progress.problems).toMatchObject([{ address: three, code: "object_corrupt" }]);
    expect(await placesOf(registry, one)).toEqual(["primary ok"]);
    expect(await placesOf(registry, two)).toEqual(["primary ok"]);
    expect(await placesOf(registry, three)).toEqual(["primary corrupt", "second corrupt"]);
    expect(await addressesAt(second)).toEqual([three]);
    expect(await finish(registry.verifyObjects())).toMatchObject({ objects: 4, problemCount: 2 });
    expect(await differences(registry)).toEqual([]);
  });

  test("removes a damaged copy where another is whole", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const [one, two] = await store(registry, "1.0.0", textsOf("a", 2));
    if (!one || !two) throw new Error("Two files have two objects.");
    await finish(registry.replicateObjects({ to: "second" }));
    await corrupt(backends.second, one);
    await backends.second.remove(two);
    expect(await finish(registry.evacuateObjects({ from: "second" }))).toMatchObject({
      changed: 2,
      problemCount: 0,
    });
    expect(await addressesAt(backends.second)).toEqual([]);
    expect(await placesOf(registry, one)).toEqual(["primary ok"]);
  });

  test("loses nothing where two backends are emptied at once, each with the other's copies", async () => {
    await using world = await openCopiesWorld(dialect, { inFile: true });
    const { registry, backends } = world;
    const addresses = await store(registry, "1.0.0", textsOf("a", 40));
    await finish(registry.replicateObjects({ to: "second" }));
    await finish(registry.replicateObjects({ to: "third" }));
    const middle = await world.apart({ placement: { primary: "second" } });
    await finish(middle.evacuateObjects({ from: "primary", to: "second" }));
    // Each walk is begun where its backend is no primary.
    const one = await world.apart({ placement: { primary: "third" } });
    const other = await world.apart({ placement: { primary: "second" } });
    const walks = await Promise.all([
      finish(one.evacuateObjects({ from: "second", to: "third" })),
      finish(other.evacuateObjects({ from: "third", to: "second" })),
    ]);
    expect(walks.every(({ done }) => done)).toBe(true);
    const stored = new Set([
      ...(await addressesAt(backends.second)),
      ...(await addressesAt(backends.third)),
    ]);
    expect(stored).toEqual(new Set(addresses));
    expect(await finish(registry.verifyObjects())).toMatchObject({ problemCount: 0 });
    for (const address of addresses) await collect((await registry.openObject(address)).body);
    expect(await differences(registry)).toEqual([]);
  });

  test("goes on after a removal whose record was lost", async () => {
    const second = withFaults(createMemoryBackend(), [
      { verb: "remove", when: "after", effect: "fail", call: 3 },
    ]);
    await using world = await openCopiesWorld(dialect, {
      backends: { primary: createMemoryBackend(), second },
    });
    const { registry } = world;
    const addresses = await store(registry, "1.0.0", textsOf("a", 10));
    await finish(registry.replicateObjects({ to: "second" }));
    expect(await finish(registry.evacuateObjects({ from: "second" }))).toMatchObject({
      objects: 10,
      problemCount: 1,
    });
    expect(await finish(registry.evacuateObjects({ from: "second" }))).toMatchObject({
      objects: 1,
      problemCount: 0,
    });
    for (const address of addresses) {
      expect(await placesOf(registry, address)).toEqual(["primary ok"]);
    }
  });
});

test("objects can be read all the while that their backend is emptied", async () => {
  await using world = await openCopiesWorld("sqlite");
  const { backends } = world;
  const moved = await world.again({
    placement: { primary: "primary", readOrder: ["second"] },
  });
  const old = await world.again({ placement: { primary: "second" } });
  const contents = textsOf("a", 60);
  const addresses = await store(old, "1.0.0", contents);
  let isDone = false;
  const evacuating = finish(moved.evacuateObjects({ from: "second" })).finally(() => {
    isDone = true;
  });
  let reads = 0;
  while (!isDone) {
    const index = reads % addresses.length;
    const address = addresses[index];
    if (address === undefined) break;
    const bytes = await collect((await moved.openObject(address)).body);
    expect(bytes.toString()).toBe(contents[index]);
    reads += 1;
  }
  expect(await evacuating).toMatchObject({ problemCount: 0, done: true });
  expect(reads).toBeGreaterThan(0);
  expect(await addressesAt(backends.second)).toEqual([]);
});

test.each([
  ["the primary", { from: "primary", to: "second" }, /primary.*placement/],
  ["a mirror", { from: "third" }, /mirror.*placement/],
  ["an unknown backend", { from: "x" }, /primary, second, third/],
  ["a backend into itself", { from: "second", to: "second" }, /itself/],
])("evacuating %s is refused", async (_, options, message) => {
  await using world = await openCopiesWorld("sqlite", { placement: { mirrors: ["third"] } });
  expect(() => world.registry.evacuateObjects(options)).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      message: expect.stringMatching(message) as string,
    }),
  );
});

test("a backend that cannot be reached is not emptied, and ends the work", async () => {
  const second = withFaults(createMemoryBackend(), [
    { verb: "remove", when: "before", effect: "fail", call: "every" },
    { verb: "health", when: "before", effect: "fail", call: "every" },
  ]);
  await using world = await openCopiesWorld("sqlite", {
    backends: { primary: createMemoryBackend(), second },
  });
  const { registry } = world;
  await store(registry, "1.0.0", textsOf("a", 10));
  await finish(registry.replicateObjects({ to: "second" }));
  const walk = finish(registry.evacuateObjects({ from: "second" }));
  expect(await codeOf(walk)).toBe("storage_unavailable");
  expect(await registry.listBackends()).toMatchObject([{}, { status: "failed" }, {}]);
  expect(await registry.tendCopies()).toMatchObject({ recovered: [] });
});
