import { StoreError } from "@store/identity";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { createArchiveBackend } from "./archive-backend.ts";
import { copyEvents, differences, finish, openCopiesWorld, store, textsOf } from "./copies.ts";
import { codeOf, collect, dialects } from "./instance.ts";

const until = "2026-02-01T00:00:00.000Z";
const minute = 60_000;

describe.each(dialects)("an object in an archive, on %s,", (dialect) => {
  test("is asked for once, watched until it has come, and until it goes again", async () => {
    const second = createArchiveBackend();
    await using world = await openCopiesWorld(dialect, {
      backends: { primary: createArchiveBackend(), second },
    });
    const { registry } = world;
    const [address, other] = await store(registry, "1.0.0", textsOf("a", 2));
    if (!address || !other) throw new Error("Two files have two objects.");
    await finish(registry.replicateObjects({ to: "second" }));
    const copyAtSecond = async () =>
      (await registry.locateObject(address)).copies.find(({ backend }) => backend === "second");
    const began = (await copyEvents(registry)).length;
    second.freeze(address);

    // A walk that reads learns of it; what cannot be read is passed over.
    const verified = await finish(registry.verifyObjects({ backend: "second" }));
    expect(verified).toMatchObject({ objects: 2, skipped: 1, changed: 1, problemCount: 0 });
    expect(await copyAtSecond()).toMatchObject({ status: "ok", tier: "archive", restore: "none" });

    const asked = await registry.restoreObject(address, { days: 3, backend: "second" });
    expect(asked.copies[1]).toMatchObject({ backend: "second", restore: "requested" });
    expect(asked).toEqual(await registry.locateObject(address));
    expect(await registry.restoreObject(address, { days: 3, speed: "bulk" })).toEqual(asked);
    expect(second.asked).toBe(2);

    expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 0, more: false });
    second.thaw(until);
    // They are not asked in a loop.
    expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 0, more: false });
    world.advance(minute);
    expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 1, more: false });
    expect(await copyAtSecond()).toMatchObject({ restore: "restored", restoredUntil: until });
    expect(await finish(registry.verifyObjects({ backend: "second" }))).toMatchObject({
      skipped: 0,
      changed: 0,
    });

    second.expire();
    world.advance(minute);
    expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 1 });
    expect(await copyAtSecond()).toMatchObject({ tier: "archive", restore: "none" });
    expect((await copyAtSecond())?.restoredUntil).toBeUndefined();
    expect((await copyEvents(registry)).slice(began)).toEqual([
      "v1.object.retrieval_changed",
      "v1.object.restore_requested",
      "v1.object.retrieval_changed",
      "v1.object.retrieval_changed",
    ]);
    world.advance(minute);
    expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 0, more: false });
    expect(await differences(registry)).toEqual([]);
  });

  test("gives the first answer again to the same idempotency key", async () => {
    const primary = createArchiveBackend();
    await using world = await openCopiesWorld(dialect, { backends: { primary } });
    const { registry } = world;
    const [address] = await store(registry, "1.0.0", ["a"]);
    if (!address) throw new Error("A file has an object.");
    primary.freeze(address);
    const key = { idempotencyKey: "once" };
    const first = await registry.restoreObject(address, { days: 1 }, key);
    primary.thaw(until);
    expect(await registry.restoreObject(address, { days: 1 }, key)).toEqual(first);
    expect(primary.asked).toBe(1);
    expect(await codeOf(registry.restoreObject(address, { days: 2 }, key))).toBe(
      "idempotency_conflict",
    );
    const later = await registry.restoreObject(address, { days: 1 });
    expect(later.copies).toMatchObject([{ restore: "restored", restoredUntil: until }]);
  });

  test("cannot be copied from before it is restored, and is then", async () => {
    const primary = createArchiveBackend();
    await using world = await openCopiesWorld(dialect, { backends: { primary } });
    const { registry } = world;
    const [address, other] = await store(registry, "1.0.0", textsOf("a", 2));
    if (!address || !other) throw new Error("Two files have two objects.");
    primary.freeze(address);
    const first = await finish(registry.replicateObjects({ to: "second" }));
    expect(first).toMatchObject({ changed: 1, problemCount: 1 });
    expect(first.problems).toMatchObject([
      { address, backend: "primary", code: "restore_required" },
    ]);
    // Known now, it is not even tried.
    const again = await finish(registry.replicateObjects({ to: "second" }));
    expect(again.problems).toMatchObject([{ address, code: "restore_required" }]);
    await registry.restoreObject(address, { days: 1 });
    primary.thaw(until);
    world.advance(minute);
    await registry.tendCopies();
    expect(await finish(registry.replicateObjects({ to: "second" }))).toMatchObject({
      changed: 1,
      problemCount: 0,
    });
  });

  test("is known to be there at once where a copy went straight into the archive", async () => {
    const third = createArchiveBackend();
    third.takesColdOnly = true;
    await using world = await openCopiesWorld(dialect, {
      backends: { primary: createMemoryBackend(), third },
    });
    const { registry } = world;
    const [address] = await store(registry, "1.0.0", ["a"]);
    if (!address) throw new Error("A file has an object.");
    await finish(registry.replicateObjects({ to: "third" }));
    expect((await registry.locateObject(address)).copies).toMatchObject([
      { backend: "primary", tier: "hot" },
      { backend: "third", tier: "archive", restore: "none" },
    ]);
    // It is read from where it can be, and evacuating trusts no copy that it cannot read.
    expect((await collect((await registry.openObject(address)).body)).toString()).toBe("a");
    const elsewhere = await world.again({ placement: { primary: "third" } });
    const kept = await finish(elsewhere.evacuateObjects({ from: "primary" }));
    expect(kept).toMatchObject({ problemCount: 1, changed: 0 });
    expect(kept.problems).toMatchObject([{ backend: "third", code: "restore_required" }]);
    await registry.restoreObject(address, { days: 1 });
    third.thaw(until);
    world.advance(minute);
    await registry.tendCopies();
    expect(await finish(elsewhere.evacuateObjects({ from: "primary" }))).toMatchObject({
      problemCount: 0,
      changed: 1,
    });
    expect(await differences(registry)).toEqual([]);
  });
});

test("restores are watched behind one that the archive says nothing of", async () => {
  const second = createArchiveBackend();
  await using world = await openCopiesWorld("sqlite", {
    backends: { primary: createMemoryBackend(), second },
  });
  const { registry } = world;
  const addresses = (await store(registry, "1.0.0", textsOf("a", 3))).toSorted();
  await finish(registry.replicateObjects({ to: "second" }));
  for (const address of addresses) {
    second.freeze(address);
    await registry.restoreObject(address, { days: 3, backend: "second" });
  }
  second.thaw(until);
  const { stat } = second;
  second.stat = async (address) => {
    if (address !== addresses[0]) return stat(address);
    throw new StoreError("permission_denied", "Of this one nothing is told.");
  };
  expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 2 });
  const silent = { healthy: false, reason: "Nobody answers." };
  second.health = async () => silent;
  world.advance(minute + 1);
  expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 0 });
  second.stat = stat;
  world.advance(minute + 1);
  expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 1 });
});

test("a restore that cannot be is refused, naming what there is", async () => {
  await using world = await openCopiesWorld("sqlite");
  const { registry } = world;
  const [address] = await store(registry, "1.0.0", ["a"]);
  if (!address) throw new Error("A file has an object.");
  const refusal = async (options: Parameters<typeof registry.restoreObject>[1]) =>
    codeOf(registry.restoreObject(address, options));
  expect(await refusal({ days: 1 })).toBe("unsupported");
  expect(await refusal({ days: 1, backend: "primary" })).toBe("unsupported");
  expect(await refusal({ days: 1, backend: "second" })).toBe("object_not_found");
  expect(await refusal({ days: 1, backend: "nowhere" })).toBe("invalid_argument");
  expect(await refusal({ days: 0 })).toBe("invalid_argument");
  expect(await refusal({ days: 366 })).toBe("invalid_argument");
  // Callers may write plain JavaScript.
  expect(await refusal({ days: 1, speed: "fast" as never })).toBe("invalid_argument");
  expect(await copyEvents(registry)).toEqual([]);
});
