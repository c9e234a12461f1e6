import { setTimeout as sleep } from "node:timers/promises";

import { parseContentAddress, StoreError, type ContentAddress } from "@store/identity";
import { copyInstance } from "@store/registry/instance-copy";
import { withFaults, type Fault } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import type { StorageBackend } from "@store/storage";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { assertSameInstance, emptyPlace, filledPlace, lostCopies, type Place } from "./copied.ts";
import { codeOf } from "./instance.ts";

async function firstAddress({ database }: Place): Promise<ContentAddress> {
  const [row] = await database.reader.select().from(database.tables.objects).limit(1);
  return parseContentAddress(row?.contentAddress ?? "");
}

/** Puts other bytes of the same length in the place of an object. */
async function damage(backend: StorageBackend | undefined, address: ContentAddress): Promise<void> {
  const stat = await backend?.stat(address);
  if (backend === undefined || stat === undefined) throw new Error(`There is no ${address}.`);
  await backend.remove(address);
  const staged = await backend.stage({ lease: "test" });
  await staged.write(new Uint8Array(stat.sizeBytes));
  await staged.commit(address);
}

/** Has the next read give one wrong byte, as a bad connection or controller may. */
function flipOnce(backend: StorageBackend): void {
  const { open } = backend;
  backend.open = async function* (...asked) {
    backend.open = open;
    for await (const chunk of open.apply(backend, asked)) {
      yield chunk.map((byte) => byte ^ 1);
    }
  };
}

describe("an object that the source has lost", () => {
  test("is named while all else arrives, and copied once it is whole again", async () => {
    const primary = createMemoryBackend();
    await using source = await filledPlace(20, { primary });
    const address = await firstAddress(source);
    const whole = await Array.fromAsync(primary.open(address));
    await damage(primary, address);
    await using target = await emptyPlace("sqlite");
    const report = await copyInstance({ from: source, to: target });
    expect(report).toMatchObject({ objects: 14, problemCount: 1 });
    expect(report.problems).toMatchObject([
      { address, backend: "primary", code: "object_corrupt" },
    ]);
    expect(await lostCopies(target)).toEqual([`${address} at primary`]);

    const again = await copyInstance({ from: source, to: target });
    expect(again).toMatchObject({ events: 0, objects: 0, problemCount: 1 });

    await primary.remove(address);
    expect((await copyInstance({ from: source, to: target })).problems).toMatchObject([
      { address, code: "object_not_found" },
    ]);
    const staged = await primary.stage({ lease: "test" });
    for (const chunk of whole) await staged.write(chunk);
    await staged.commit(address);
    expect(await copyInstance({ from: source, to: target })).toMatchObject({
      events: 0,
      objects: 1,
      problemCount: 0,
    });
    await assertSameInstance(source, target);
  });

  test("is taken from another of its copies", async () => {
    const backends = { primary: createMemoryBackend(), mirror: createMemoryBackend() };
    await using source = await filledPlace(4, backends);
    const address = await firstAddress(source);
    const staged = await backends.mirror.stage({ lease: "test" });
    for await (const chunk of backends.primary.open(address)) await staged.write(chunk);
    await staged.commit(address);
    await source.database.write(async ({ sql, tables: { storageLocations: t } }) => {
      const [row] = await sql.select().from(t).where(eq(t.contentAddress, address));
      if (row !== undefined) await sql.insert(t).values({ ...row, backend: "mirror" });
    });
    await backends.primary.remove(address);
    await using target = await emptyPlace("sqlite");
    const report = await copyInstance({ from: source, to: target, without: ["mirror"] });
    expect(report).toMatchObject({ objects: 3, problemCount: 0 });
    expect(await lostCopies(target)).toEqual([]);
  });
});

describe("verifying", () => {
  test("copies what is missing or damaged in the target again, and says what differs", async () => {
    await using source = await filledPlace(8);
    await using target = await emptyPlace("sqlite");
    await copyInstance({ from: source, to: target });
    const [one, two] = await source.database.reader.select().from(source.database.tables.objects);
    await damage(target.backends["primary"], parseContentAddress(one?.contentAddress ?? ""));
    await target.backends["primary"]?.remove(parseContentAddress(two?.contentAddress ?? ""));
    await target.database.write(async ({ sql, tables: { artifactFiles } }) => {
      await sql.update(artifactFiles).set({ mediaType: "text/plain" });
    });
    const { verification, ...report } = await copyInstance({
      from: source,
      to: target,
      verify: true,
    });
    expect(report).toMatchObject({ objects: 2, problemCount: 0 });
    expect(verification).toMatchObject({ mended: 2, objects: 6 });
    expect(verification?.differences).toEqual({ artifactFiles: 8 });
    expect(await lostCopies(target)).toEqual([]);
  });

  test("keeps what both sides share where one read of it goes wrong", async () => {
    const primary = createMemoryBackend();
    await using source = await filledPlace(4, { primary });
    await using target = await emptyPlace("sqlite", { primary });
    await copyInstance({ from: source, to: target });
    flipOnce(primary);
    const { verification } = await copyInstance({ from: source, to: target, verify: true });
    expect(await lostCopies(source)).toEqual([]);
    expect(verification).toMatchObject({ mended: 1 });
  });

  test("keeps what both sides share, however damaged it is", async () => {
    const primary = createMemoryBackend();
    await using source = await filledPlace(4, { primary });
    await using target = await emptyPlace("sqlite", { primary });
    const address = await firstAddress(source);
    await damage(primary, address);
    const report = await copyInstance({ from: source, to: target, verify: true });
    expect(report).toMatchObject({ objects: 0, problemCount: 1 });
    expect(report.problems).toMatchObject([{ address, code: "object_corrupt" }]);
    expect(await primary.stat(address)).toBeDefined();
  });
});

test("events are taken over once the objects that they speak of are there, and not before", async () => {
  await using source = await filledPlace(4);
  const slow = withFaults(createMemoryBackend(), [
    { verb: "commit", when: "before", effect: "hang", call: 3 },
  ]);
  await using target = await emptyPlace("sqlite", { primary: slow });
  const copying = copyInstance({ from: source, to: target });
  while (slow.struck.length === 0) await sleep(5);
  await sleep(100);
  expect(await target.database.reader.select().from(target.database.tables.events)).toEqual([]);
  slow.release();
  expect(await copying).toMatchObject({ events: 18, objects: 3 });
  await assertSameInstance(source, target);
});

describe("backends that fail", () => {
  const unwell = (inner: StorageBackend, faults: readonly Fault[]): StorageBackend =>
    Object.assign(withFaults(inner, faults), {
      health: async () => ({ healthy: false, reason: "away" }),
    });
  const full = new StoreError("storage_full", "No space is left.");
  const fault = (verb: "open" | "commit", error?: Error): Fault =>
    verb === "open"
      ? { verb, when: 0, effect: "fail", call: "every", ...(error && { error }) }
      : { verb, when: "before", effect: "fail", call: "every", ...(error && { error }) };

  test.each([
    ["the source is away", "source", fault("open"), "storage_unavailable"],
    ["the target is away", "target", fault("commit"), "storage_unavailable"],
    ["the target is full", "target", fault("commit", full), "storage_full"],
  ] as const)("end the copy where %s, and the next goes on", async (_what, side, struck, code) => {
    await using source = await filledPlace(10);
    await using target = await emptyPlace("sqlite");
    const ill = side === "source" ? source : target;
    const [well] = Object.values(ill.backends);
    if (well === undefined) throw new Error("There is no backend.");
    ill.backends["primary"] = unwell(well, [struck]);
    expect(await codeOf(copyInstance({ from: source, to: target }))).toBe(code);
    expect(await target.database.reader.select().from(target.database.tables.events)).toEqual([]);
    ill.backends["primary"] = well;
    expect(await Array.fromAsync(well.listStaged())).toEqual([]);
    expect(await copyInstance({ from: source, to: target })).toMatchObject({ problemCount: 0 });
    await assertSameInstance(source, target);
  });

  test("but for one object are a problem of that object", async () => {
    await using source = await filledPlace(4);
    const [well] = Object.values(source.backends);
    if (well === undefined) throw new Error("There is no backend.");
    source.backends["primary"] = withFaults(well, [{ verb: "open", when: 0, effect: "fail" }]);
    await using target = await emptyPlace("sqlite");
    const report = await copyInstance({ from: source, to: target });
    expect(report).toMatchObject({ objects: 2, problemCount: 1 });
    expect(await copyInstance({ from: source, to: target })).toMatchObject({ problemCount: 0 });
    await assertSameInstance(source, target);
  });

  test("leave nothing staged where a copy is given up", async () => {
    await using source = await filledPlace(40);
    await using target = await emptyPlace("sqlite");
    const giving = new AbortController();
    const copying = copyInstance({
      from: source,
      to: target,
      signal: giving.signal,
      concurrency: 2,
      onProgress: ({ objects }) => {
        if (objects === 5) giving.abort();
      },
    });
    expect(await codeOf(copying)).toBe("aborted");
    expect(await Array.fromAsync(target.backends["primary"]?.listStaged() ?? [])).toEqual([]);
    await copyInstance({ from: source, to: target });
    await assertSameInstance(source, target);
  });
});
