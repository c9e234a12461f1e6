import { StoreError } from "@store/identity";
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
  truncate,
} from "./copies.ts";
import { codeOf, collect, dialects, leaseKinds } from "./instance.ts";

const large = new Uint8Array(3_000_000).fill(7);

describe.each(dialects)("replicating objects, on %s,", (dialect) => {
  test("gives the target a whole copy of every object, and records each once", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends, database } = world;
    const addresses = await store(registry, "1.0.0", [...textsOf("a", 20), large, ""]);
    const progress = await finish(registry.replicateObjects({ to: "second" }));
    expect(progress).toMatchObject({
      objects: 22,
      total: 22,
      changed: 22,
      problemCount: 0,
      problems: [],
      done: true,
      resumed: false,
      position: addresses.toSorted().at(-1),
    });
    expect(progress.sizeBytes).toBeGreaterThan(large.length);
    expect(await addressesAt(backends.second)).toEqual(addresses.toSorted());
    expect(await copyEvents(registry)).toEqual(Array(22).fill("v1.object.copied"));
    for (const address of addresses) {
      expect(await placesOf(registry, address)).toEqual(["primary ok", "second ok"]);
    }
    const again = await finish(registry.replicateObjects({ to: "second" }));
    expect(again).toMatchObject({ objects: 22, changed: 0, sizeBytes: 0 });
    expect(await copyEvents(registry)).toHaveLength(22);
    expect(await leaseKinds(database)).toEqual(["process"]);
    expect(await differences(registry)).toEqual([]);
  });

  test("replaces copies that are damaged at the target, from the next that is whole", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const { primary, second, third } = backends;
    const [one, two, three, four] = await store(registry, "1.0.0", [...textsOf("a", 3), large]);
    if (!one || !two || !three || !four) throw new Error("Four files have four objects.");
    await finish(registry.replicateObjects({ to: "second" }));
    await finish(registry.replicateObjects({ to: "third", from: "second" }));
    await corrupt(second, one);
    await second.remove(two);
    await truncate(second, three);
    await truncate(second, four);
    // What is to be copied from is damaged too, without anybody knowing.
    await corrupt(primary, one);
    await primary.remove(two);
    expect(await finish(registry.verifyObjects({ backend: "second" }))).toMatchObject({
      objects: 4,
      changed: 4,
      problemCount: 4,
    });
    const seen = await copyEvents(registry);
    expect(await finish(registry.replicateObjects({ to: "second" }))).toMatchObject({
      changed: 4,
      problemCount: 0,
    });
    expect((await copyEvents(registry)).slice(seen.length).toSorted()).toEqual([
      ...Array(4).fill("v1.object.copied"),
      ...Array(2).fill("v1.object.damaged"),
    ]);
    expect(await placesOf(registry, one)).toEqual(["primary corrupt", "second ok", "third ok"]);
    expect(await placesOf(registry, two)).toEqual(["primary missing", "second ok", "third ok"]);
    for (const address of [one, two, three, four]) {
      const bytes = await collect(second.open(address));
      expect(bytes.equals(await collect(third.open(address)))).toBe(true);
    }
    expect(await differences(registry)).toEqual([]);
  });

  test("records what stands at the target already, and nothing that is not the object", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const [whole, wrong, short] = await store(registry, "1.0.0", [...textsOf("a", 2), large]);
    if (!whole || !wrong || !short) throw new Error("Three files have three objects.");
    for (const address of [whole, wrong, short]) {
      const staged = await backends.second.stage({ lease: "other" });
      for await (const chunk of backends.primary.open(address)) await staged.write(chunk);
      await staged.commit(address);
    }
    await corrupt(backends.second, wrong);
    await truncate(backends.second, short);
    expect(await finish(registry.replicateObjects({ to: "second" }))).toMatchObject({
      changed: 3,
      problemCount: 0,
    });
    expect(await finish(registry.verifyObjects({ backend: "second" }))).toMatchObject({
      objects: 3,
      problemCount: 0,
    });
  });

  test("mends without writing what was called damaged and is whole", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const [address] = await store(registry, "1.0.0", ["a"]);
    if (!address) throw new Error("A file has an object.");
    await finish(registry.replicateObjects({ to: "second" }));
    const bytes = await collect(backends.second.open(address));
    await backends.second.remove(address);
    await finish(registry.verifyObjects({ backend: "second" }));
    const staged = await backends.second.stage({ lease: "other" });
    await staged.write(bytes);
    await staged.commit(address);
    await finish(registry.replicateObjects({ to: "second" }));
    expect(await copyEvents(registry)).toEqual([
      "v1.object.copied",
      "v1.object.damaged",
      "v1.object.mended",
    ]);
  });

  test("an object that nobody has whole is a problem, and the others are copied", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const [one, two, three] = await store(registry, "1.0.0", textsOf("a", 3));
    if (!one || !two || !three) throw new Error("Three files have three objects.");
    await corrupt(backends.primary, one);
    await backends.primary.remove(two);
    const { problems, ...progress } = await finish(registry.replicateObjects({ to: "second" }));
    expect(progress).toMatchObject({ objects: 3, changed: 1, problemCount: 2 });
    const codes = new Map(problems.map(({ address, code }) => [address, code]));
    expect(codes.get(one)).toBe("object_corrupt");
    expect(codes.get(two)).toBe("object_not_found");
    expect(problems.map(({ backend }) => backend)).toEqual(["primary", "primary"]);
    expect(await addressesAt(backends.second)).toEqual([three]);
    expect(await Array.fromAsync(backends.second.listStaged())).toEqual([]);
  });
});

test("a target that is full ends the work with its error, which goes on where there is room", async () => {
  const full = new StoreError("storage_full", "The disk is full.");
  const second = withFaults(createMemoryBackend(), [
    { verb: "commit", when: "before", effect: "fail", call: 5, error: full },
  ]);
  await using world = await openCopiesWorld("sqlite", {
    backends: { primary: createMemoryBackend(), second },
  });
  const { registry } = world;
  await store(registry, "1.0.0", textsOf("a", 30));
  const walk = { to: "second", concurrency: 1 };
  expect(await codeOf(finish(registry.replicateObjects(walk)))).toBe("storage_full");
  expect(await registry.listBackends()).toMatchObject([
    { name: "primary", status: "ok" },
    { name: "second", status: "failed", reason: "storage_full", use: "other", kind: "memory" },
    { name: "third", status: "ok" },
  ]);
  expect(await Array.fromAsync(second.listStaged())).toEqual([]);
  const rest = await finish(registry.replicateObjects(walk));
  expect(rest).toMatchObject({ resumed: true, objects: 30, total: 30, changed: 30, done: true });
  const failed = [{ name: "second", reason: "storage_full" }];
  expect(await registry.tendCopies()).toMatchObject({ failed, recovered: ["second"], more: false });
  expect(await registry.tendCopies()).toMatchObject({ failed: [], recovered: [] });
  expect(await copyEvents(registry)).toEqual([
    ...Array(4).fill("v1.object.copied"),
    "v1.backend.failed",
    ...Array(26).fill("v1.object.copied"),
    "v1.backend.recovered",
  ]);
});

test("a target that fails now and then is borne, and one that fails always is given up", async () => {
  const third = withFaults(createMemoryBackend(), [
    { verb: "stage", when: "before", effect: "fail", call: 3 },
  ]);
  const second = withFaults(createMemoryBackend(), [
    { verb: "stage", when: "before", effect: "fail", call: "every" },
  ]);
  await using world = await openCopiesWorld("sqlite", {
    backends: { primary: createMemoryBackend(), second, third },
  });
  const { registry } = world;
  await store(registry, "1.0.0", textsOf("a", 60));
  const borne = await finish(registry.replicateObjects({ to: "third" }));
  expect(borne).toMatchObject({ objects: 60, changed: 59, problemCount: 1 });
  expect(borne.problems).toMatchObject([{ backend: "third", code: "storage_unavailable" }]);
  expect(await codeOf(finish(registry.replicateObjects({ to: "second" })))).toBe(
    "storage_unavailable",
  );
});

test.each([
  ["an unknown target", { to: "nowhere" }, /nowhere.*primary, second, third/],
  ["an unknown source", { to: "second", from: "x" }, /primary, second, third/],
  ["a target that is the source", { to: "second", from: "second" }, /itself/],
  ["too many at once", { to: "second", concurrency: 65 }, /concurrency/],
])("replicating with %s is refused at once", async (_, options, message) => {
  await using world = await openCopiesWorld("sqlite");
  expect(() => world.registry.replicateObjects(options)).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      message: expect.stringMatching(message) as string,
    }),
  );
});

test("a source that is away is passed over for the next, and not asked for each object", async () => {
  const inner = createMemoryBackend();
  const away = withFaults(inner, [{ verb: "open", when: 0, effect: "fail", call: "every" }]);
  await using world = await openCopiesWorld("sqlite", { backends: { primary: inner } });
  await store(world.registry, "1.0.0", textsOf("a", 100));
  await finish(world.registry.replicateObjects({ to: "second" }));
  const registry = await world.again({ backends: { ...world.backends, primary: away } });
  expect(await finish(registry.replicateObjects({ to: "third" }))).toMatchObject({
    changed: 100,
    problemCount: 0,
  });
  // Those that were in hand when it failed first, and one now and then.
  expect(away.struck.length).toBeLessThan(50);
});
