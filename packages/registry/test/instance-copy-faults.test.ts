import { setTimeout as sleep } from "node:timers/promises";

import { openLog } from "@store/events";
import { parseContentAddress, StoreError, type ContentAddress } from "@store/identity";
import { copyInstance } from "@store/registry/copy";
import { withFaults, type Fault } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import type { StorageBackend } from "@store/storage";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { assertSameInstance, emptyPlace, lostCopies, publishMany, type Place } from "./copied.ts";
import { codeOf } from "./instance.ts";

/** A place with packages, of which every fourth has the file of the one before it. */
async function filledPlace(
  packages: number,
  backends?: Record<string, StorageBackend>,
): Promise<Place> {
  const place = await emptyPlace("sqlite", backends);
  await publishMany(await place.open(), packages);
  return place;
}

async function firstAddress({ database }: Place): Promise<ContentAddress> {
  const [row] = await database.reader.select().from(database.tables.objects).limit(1);
  return parseContentAddress(row?.contentAddress ?? "");
}

/** What a promise is refused with. */
function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
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

describe("a target that is no beginning of the source", () => {
  test("is refused where it is another instance, and left as it was", async () => {
    await using source = await filledPlace(3);
    await using target = await emptyPlace("sqlite");
    const before = await (await target.open()).head();
    const error = await refusalOf(copyInstance({ from: source, to: target }));
    expect(error).toMatchObject({ code: "precondition_failed", context: { actual: before.logId } });
    expect(await (await openLog(target.database)).head()).toEqual(before);
  });

  test("is refused where it went on by itself", async () => {
    await using source = await filledPlace(3);
    await using target = await emptyPlace("sqlite");
    await copyInstance({ from: source, to: target });
    await publishMany(await target.open(), 1, 70);
    expect(await codeOf(copyInstance({ from: source, to: target }))).toBe("precondition_failed");
    // Longer than the target by now, but not with the same events.
    await publishMany(await source.open(), 2, 80);
    const error = await refusalOf(copyInstance({ from: source, to: target }));
    expect(error).toMatchObject({ code: "precondition_failed" });
    expect(String(error)).toContain("roots differ");
  });

  test("is refused while another copies to it", async () => {
    await using source = await filledPlace(3);
    await using target = await emptyPlace("sqlite");
    let second: Promise<string> | undefined;
    await copyInstance({
      from: source,
      to: target,
      onProgress: ({ step }) => {
        if (step !== "copying") return;
        second ??= codeOf(copyInstance({ from: source, to: target }));
      },
    });
    expect(await second).toBe("precondition_failed");
  });
});

describe("roles", () => {
  const twoRoles = () => ({ primary: createMemoryBackend(), mirror: createMemoryBackend() });

  /** Says of an object, in the views alone, that the mirror has it too, or has it instead. */
  async function placeAtMirror({ database }: Place, { alone }: { alone: boolean }): Promise<void> {
    const [row] = await database.reader.select().from(database.tables.storageLocations).limit(1);
    if (row === undefined) throw new Error("There is no object.");
    await database.write(async ({ sql, tables: { storageLocations: t } }) => {
      await sql.insert(t).values({ ...row, backend: "mirror" });
      if (alone) await sql.delete(t).where(eq(t.contentAddress, row.contentAddress));
      if (alone) await sql.insert(t).values({ ...row, backend: "mirror" });
    });
  }

  test("that the target lacks are refused before anything is written", async () => {
    await using source = await filledPlace(3, twoRoles());
    await placeAtMirror(source, { alone: false });
    await using target = await emptyPlace("sqlite");
    const error = await refusalOf(copyInstance({ from: source, to: target }));
    expect(error).toMatchObject({ code: "invalid_argument", context: { expected: "mirror" } });
    expect(await target.database.reader.select().from(target.database.tables.events)).toEqual([]);
  });

  test("may stay behind where every object is elsewhere", async () => {
    await using source = await filledPlace(3, twoRoles());
    await placeAtMirror(source, { alone: false });
    await using target = await emptyPlace("sqlite");
    const report = await copyInstance({ from: source, to: target, without: ["mirror"] });
    expect(report).toMatchObject({ objects: 3, problemCount: 0 });

    await placeAtMirror(source, { alone: true }).catch(() => undefined);
    await source.database.write(async ({ sql, tables: { storageLocations: t } }) => {
      await sql.delete(t).where(eq(t.backend, "primary"));
    });
    await using another = await emptyPlace("sqlite");
    const copying = copyInstance({ from: source, to: another, without: ["mirror"] });
    expect(await codeOf(copying)).toBe("invalid_argument");
  });
});

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

describe("a source whose log was tampered with", () => {
  test.each([
    ["an event", "7", { actor: "mallory" }],
    ["a payload", "7", { payload: Uint8Array.of(0xa0) }],
  ])("is refused at %s", async (_what, reference, harm) => {
    await using source = await filledPlace(5);
    await source.database.write(async ({ sql, tables: { events } }) => {
      await sql.update(events).set(harm).where(eq(events.seq, 7));
    });
    await using target = await emptyPlace("sqlite");
    const error = await refusalOf(copyInstance({ from: source, to: target }));
    expect(error).toMatchObject({ code: "log_corrupt" });
    if (!("payload" in harm)) expect(error).toMatchObject({ context: { reference } });
    expect(await codeOf(copyInstance({ from: source, to: target }))).toBe("log_corrupt");
  });

  test("is refused where an event is gone, or the head is another", async () => {
    await using source = await filledPlace(5);
    const { events, logHead } = source.database.tables;
    const [head] = await source.database.reader.select().from(logHead);
    const change = (root: Uint8Array) =>
      source.database.write(async ({ sql }) => {
        await sql.update(logHead).set({ root });
      });
    await change(new Uint8Array(32));
    await using target = await emptyPlace("sqlite");
    expect(await codeOf(copyInstance({ from: source, to: target }))).toBe("log_corrupt");
    await change(head?.root ?? new Uint8Array());
    await copyInstance({ from: source, to: target });
    await source.database.write(async ({ sql }) => {
      await sql.delete(events).where(eq(events.seq, 7));
    });
    await using another = await emptyPlace("sqlite");
    expect(await codeOf(copyInstance({ from: source, to: another }))).toBe("log_corrupt");
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
