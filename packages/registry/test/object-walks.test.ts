import { createHash } from "node:crypto";

import { contentAddress, Digest } from "@store/identity";
import type { ObjectWorkProgress } from "@store/registry";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test, vi } from "vitest";

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
import { codeOf, dialects } from "./instance.ts";

describe.each(dialects)("a walk over objects, on %s,", (dialect) => {
  test("that is left goes on where it was, and begins anew when asked to", async () => {
    const second = withFaults(createMemoryBackend(), [
      { verb: "stage", when: "before", effect: "hang", call: 150 },
    ]);
    await using world = await openCopiesWorld(dialect, {
      backends: { primary: createMemoryBackend(), second },
    });
    const { registry, database } = world;
    await store(registry, "1.0.0", textsOf("a", 300));
    let last: ObjectWorkProgress | undefined;
    for await (const progress of registry.replicateObjects({ to: "second" })) {
      last = progress;
      if (second.struck.length === 0) continue;
      // What hangs does not keep the work from ending.
      second.release();
      break;
    }
    expect(last).toMatchObject({ done: false, total: 300 });
    const positions = await database.reader.select().from(database.tables.workPositions);
    expect(positions).toMatchObject([{ name: "replicate:second" }]);
    const before = await addressesAt(second);
    expect(before.length).toBeGreaterThan(100);
    expect(before.length).toBeLessThan(300);
    // All up to the position is done; what was in hand is done again.
    expect(before.filter((address) => address <= (positions[0]?.position ?? ""))).toHaveLength(
      before.findIndex((address) => address > (positions[0]?.position ?? "")),
    );

    const rest = await Array.fromAsync(registry.replicateObjects({ to: "second" }));
    const { position, startedAt } = positions[0] ?? {};
    expect(rest[0]).toMatchObject({ resumed: true, position, startedAt });
    expect(rest.at(-1)).toMatchObject({ done: true, problemCount: 0 });
    expect(await addressesAt(second)).toHaveLength(300);
    expect(await copyEvents(registry)).toHaveLength(300);
    expect(await database.reader.select().from(database.tables.workPositions)).toEqual([]);

    for await (const progress of registry.verifyObjects()) {
      expect(progress).toMatchObject({ objects: 0, total: 600, resumed: false });
      break;
    }
    const anew = await finish(registry.verifyObjects({ restart: true }));
    expect(anew).toMatchObject({ resumed: false, objects: 600, problemCount: 0 });
    expect(await differences(registry)).toEqual([]);
  });

  test("that is left and gone on with much later deals with what came before that place, too", async () => {
    const second = withFaults(createMemoryBackend(), [
      { verb: "stage", when: "before", effect: "hang", call: 40 },
    ]);
    await using world = await openCopiesWorld(dialect, {
      backends: { primary: createMemoryBackend(), second },
    });
    const { registry, database } = world;
    await store(registry, "1.0.0", textsOf("a", 60));
    for await (const _ of registry.replicateObjects({ to: "second" })) {
      if (second.struck.length === 0) continue;
      second.release();
      break;
    }
    const [left] = await database.reader.select().from(database.tables.workPositions);
    const [first] = await addressesAt(second);
    if (first === undefined) throw new Error("Nothing was copied before the work was left.");
    expect(first < (left?.position ?? "")).toBe(true);
    await second.remove(first);
    await finish(registry.verifyObjects({ backend: "second" }));
    expect(await placesOf(registry, first)).toEqual(["primary ok", "second missing"]);

    const rest = await finish(registry.replicateObjects({ to: "second" }));
    expect(rest).toMatchObject({ done: true, resumed: true, problemCount: 0 });
    expect(await placesOf(registry, first)).toEqual(["primary ok", "second ok"]);
    expect(await addressesAt(second)).toHaveLength(60);
  });

  test("ends with aborted when its signal says so, and with closed when the instance closes", async () => {
    await using world = await openCopiesWorld(dialect, { inFile: true });
    const { registry, backends } = world;
    await store(registry, "1.0.0", textsOf("a", 40));
    const aborted = AbortSignal.abort();
    expect(await codeOf(finish(registry.verifyObjects({ signal: aborted })))).toBe("aborted");

    const second = withFaults(backends.second, [
      { verb: "commit", when: "before", effect: "hang", call: 5 },
    ]);
    const other = await world.apart({ backends: { primary: backends.primary, second } });
    const stop = new AbortController();
    const ending = codeOf(finish(other.replicateObjects({ to: "second", signal: stop.signal })));
    await vi.waitFor(() => expect(second.struck).toHaveLength(1));
    stop.abort();
    second.release();
    expect(await ending).toBe("aborted");

    const third = withFaults(backends.third, [
      { verb: "commit", when: "before", effect: "hang", call: 5 },
    ]);
    const closing = await world.apart({ backends: { primary: backends.primary, third } });
    const closed = codeOf(finish(closing.replicateObjects({ to: "third" })));
    await vi.waitFor(() => expect(third.struck).toHaveLength(1));
    const close = closing.close();
    third.release();
    await close;
    expect(await closed).toBe("closed");
    expect(() => closing.verifyObjects()).toThrow(expect.objectContaining({ code: "closed" }));

    expect(await finish(registry.replicateObjects({ to: "second" }))).toMatchObject({ done: true });
    expect(await addressesAt(backends.second)).toHaveLength(40);
    expect(await Array.fromAsync(backends.second.listStaged())).toEqual([]);
    expect(await Array.fromAsync(backends.third.listStaged())).toEqual([]);
  });

  test("does no harm to another of the same name", async () => {
    await using world = await openCopiesWorld(dialect, { inFile: true });
    const { registry, backends } = world;
    const addresses = await store(registry, "1.0.0", textsOf("a", 60));
    const other = await world.apart();
    const both = await Promise.all(
      [registry, other].map((each) => finish(each.replicateObjects({ to: "second" }))),
    );
    expect(both.every(({ done, problemCount }) => done && problemCount === 0)).toBe(true);
    expect(await copyEvents(registry)).toHaveLength(60);
    await Promise.all(
      [registry, other].map((each) => finish(each.evacuateObjects({ from: "second" }))),
    );
    expect(await addressesAt(backends.second)).toEqual([]);
    expect(await copyEvents(registry)).toHaveLength(120);
    for (const address of addresses) {
      expect(await placesOf(registry, address)).toEqual(["primary ok"]);
    }
    expect(await differences(registry)).toEqual([]);
  });
});

test("says about how many objects there are, where counting them would take long", async () => {
  await using world = await openCopiesWorld("sqlite");
  const { registry, database } = world;
  const count = 30_000;
  for (let first = 0; first < count; first += 1_000) {
    const rows = Array.from({ length: 1_000 }, (_, index) => {
      const digestPrimary = createHash("sha256")
        .update(String(first + index))
        .digest();
      return {
        contentAddress: contentAddress(Digest.of("blake3", digestPrimary)),
        digestAlgorithm: "blake3",
        digestPrimary,
        digestSha256: digestPrimary,
        sizeBytes: 1,
        firstSeq: 1,
        storedAt: "2026-01-02T03:04:05.678Z",
      };
    });
    await database.write(async ({ sql, tables }) => {
      await sql.insert(tables.objects).values(rows);
    });
  }
  for await (const { total } of registry.replicateObjects({ to: "second" })) {
    expect(Math.abs(total - count)).toBeLessThan(count / 20);
    break;
  }
});

describe.each(dialects)("verifying copies, on %s,", (dialect) => {
  test("finds what is missing, truncated and altered, once, and what is whole again", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const { primary, second } = backends;
    const [one, two, three, four] = await store(registry, "1.0.0", textsOf("a", 4));
    if (!one || !two || !three || !four) throw new Error("Four files have four objects.");
    await finish(registry.replicateObjects({ to: "second" }));
    const bytes = Buffer.concat(await Array.fromAsync(second.open(two)));
    await primary.remove(one);
    await truncate(second, two);
    await corrupt(second, three);
    const found = await finish(registry.verifyObjects());
    expect(found).toMatchObject({ objects: 8, total: 8, changed: 3, problemCount: 3, skipped: 0 });
    const problems = found.problems.map(({ backend, code }) => `${backend} ${code}`);
    expect(problems.toSorted()).toEqual([
      "primary object_not_found",
      "second object_corrupt",
      "second object_corrupt",
    ]);
    expect(await placesOf(registry, one)).toEqual(["primary missing", "second ok"]);
    expect(await placesOf(registry, two)).toEqual(["primary ok", "second corrupt"]);
    const again = await finish(registry.verifyObjects());
    expect(again).toMatchObject({ changed: 0, problemCount: 3 });

    await second.remove(two);
    const staged = await second.stage({ lease: "other" });
    await staged.write(bytes);
    await staged.commit(two);
    const mended = await finish(registry.verifyObjects({ backend: "second" }));
    expect(mended).toMatchObject({ objects: 4, changed: 1, problemCount: 1 });
    expect((await copyEvents(registry)).slice(4)).toEqual([
      ...Array(3).fill("v1.object.damaged"),
      "v1.object.mended",
    ]);
    expect(await differences(registry)).toEqual([]);
  });

  test("goes on with the others' copies while a backend is away, and says so once", async () => {
    const second = withFaults(createMemoryBackend(), [
      { verb: "open", when: 0, effect: "fail", call: "every" },
      { verb: "health", when: "before", effect: "fail", call: "every" },
    ]);
    const primary = createMemoryBackend();
    await using world = await openCopiesWorld(dialect, { backends: { primary, second } });
    const { registry } = world;
    const [one] = await store(registry, "1.0.0", textsOf("a", 40));
    if (!one) throw new Error("A file has an object.");
    await finish(registry.replicateObjects({ to: "second" }));
    await finish(registry.replicateObjects({ to: "third" }));
    await corrupt(primary, one);

    const found = await finish(registry.verifyObjects());
    expect(found).toMatchObject({ objects: 80, total: 80, problemCount: 2, done: true });
    expect(found.problems).toHaveLength(2);
    expect(found.problems).toContainEqual({
      address: expect.anything() as unknown,
      backend: "second",
      code: "storage_unavailable",
      message: expect.stringContaining('The backend "second" does not answer') as string,
    });
    expect(await placesOf(registry, one)).toEqual(["primary corrupt", "second ok", "third ok"]);
    expect(await registry.listBackends()).toMatchObject([{}, { status: "failed" }, {}]);

    // Where it alone is meant, and where no other is left, there is nothing to go on with.
    const ofOne = finish(registry.verifyObjects({ backend: "second" }));
    expect(await codeOf(ofOne)).toBe("storage_unavailable");
    const alone = await world.again({ backends: { second }, placement: { primary: "second" } });
    expect(await codeOf(finish(alone.verifyObjects()))).toBe("storage_unavailable");
  });

  test("leaves out backends that are not configured", async () => {
    await using world = await openCopiesWorld(dialect);
    const { registry, backends } = world;
    const [address] = await store(registry, "1.0.0", ["a"]);
    if (!address) throw new Error("A file has an object.");
    await finish(registry.replicateObjects({ to: "second" }));
    const other = await world.again({ backends: { primary: backends.primary } });
    expect(await finish(other.verifyObjects())).toMatchObject({ objects: 1, changed: 0 });
    expect((await other.locateObject(address)).copies).toMatchObject([
      { backend: "primary", configured: true, tier: "hot", restore: "none" },
      { backend: "second", configured: false },
    ]);
    expect(() => other.verifyObjects({ backend: "second" })).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  });
});
