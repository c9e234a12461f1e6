import { openLog } from "@store/events";
import { backgroundLock } from "@store/registry";
import { copyInstance } from "@store/registry/instance-copy";
import { createMemoryBackend } from "@store/storage/memory";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { emptyPlace, filledPlace, publishMany, refusalOf, type Place } from "./copied.ts";
import { codeOf } from "./instance.ts";

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

test("a target that a server works on is refused, and keeps its accounts", async () => {
  await using source = await filledPlace(3);
  await using target = await emptyPlace("sqlite");
  await copyInstance({ from: source, to: target });
  const { database } = target;
  const { signingKeys } = database.tables;
  await database.write(async ({ sql }) => {
    const key = { keyId: "k", algorithm: "EdDSA", publicKey: "p", privateKey: "q" };
    await sql.insert(signingKeys).values({ ...key, createdAt: "2026-01-01T00:00:00.000Z" });
  });
  const lock = await database.tryLock(backgroundLock);
  expect(await codeOf(copyInstance({ from: source, to: target }))).toBe("precondition_failed");
  expect(await database.reader.select().from(signingKeys)).toHaveLength(1);
  await lock?.release();
  await copyInstance({ from: source, to: target });
  expect(await database.reader.select().from(signingKeys)).toEqual([]);
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
