import { setTimeout as sleep } from "node:timers/promises";

import type { Registry } from "@store/registry";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test, vi } from "vitest";

import { codeOf, dialects, openTestInstance, type TestInstance } from "./instance.ts";
import { addressOf, chunked, hanging, patterned, sendRest } from "./uploads.ts";

const content = patterned(2_000_000);
const half = content.subarray(0, 1_000_000);
const lockMs = 1_000;

/** Begins an append that never ends by itself; its outcome comes later. */
async function started(registry: Registry, id: string): Promise<{ outcome: Promise<string> }> {
  const { source, given } = hanging(half);
  const outcome = codeOf(registry.appendUpload(id, 0, source));
  await given;
  return { outcome };
}

async function setLock(
  { database }: TestInstance,
  lock: { readonly lockedBy: string | null; readonly lockedUntil: string | null },
): Promise<void> {
  const { uploadSessions } = database.tables;
  await database.write(async ({ sql }) => sql.update(uploadSessions).set(lock));
}

describe.each(dialects)("of several who work on one upload, with %s,", (dialect) => {
  const open = () => openTestInstance(dialect, { uploadLockMs: lockMs });

  test("the newest wins, in one process", async () => {
    await using instance = await open();
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const first = await started(registry, id);
    const upload = await registry.getUpload(id, { settled: true });
    expect(upload.offsetBytes).toBe(half.length);
    expect(await first.outcome).toBe("upload_locked");
    expect(await sendRest(registry, upload, content)).toMatchObject({
      address: await addressOf(content),
    });
  });

  test("strangers are not among them: they end nothing", async () => {
    await using instance = await open();
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const first = await started(registry, id);
    for (const sender of [registry, await instance.again()].map((each) => each.as("mallory"))) {
      expect(await codeOf(sender.getUpload(id, { settled: true }))).toBe("upload_not_found");
      expect(await codeOf(sender.appendUpload(id, 0, chunked(half)))).toBe("upload_not_found");
      await sender.cancelUpload(id);
    }
    const pending = Symbol("pending");
    expect(await Promise.race([first.outcome, sleep(600, pending)])).toBe(pending);
    await registry.cancelUpload(id);
    expect(await first.outcome).toBe("upload_locked");
  });

  test("those that waited already give up", async () => {
    await using instance = await open();
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const first = await started(registry, id);
    const others = Array.from({ length: 5 }, () =>
      codeOf(registry.appendUpload(id, half.length, chunked(content.subarray(half.length)))),
    );
    const outcomes = (await Promise.all(others)).toSorted();
    expect(outcomes[0]).toBe("nothing thrown");
    // One that came after the winner's end finds the upload complete.
    expect(["upload_conflict", "upload_locked"]).toEqual(
      expect.arrayContaining([...new Set(outcomes.slice(1))]),
    );
    expect(outcomes).toContain("upload_locked");
    expect(await first.outcome).toBe("upload_locked");
    expect(await registry.getUpload(id)).toMatchObject({ address: await addressOf(content) });
  });

  test("the newest wins, in another process, which learns where to go on", async () => {
    await using instance = await open();
    const { registry } = instance;
    const other = await instance.again();
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const first = await started(registry, id);
    const upload = await other.getUpload(id, { settled: true });
    expect(upload.offsetBytes).toBe(half.length);
    expect(await first.outcome).toBe("upload_locked");
    const complete = await sendRest(other, upload, content);
    expect(complete.address).toBe(await addressOf(content));
    expect(await registry.getUpload(id, { settled: true })).toEqual(complete);
  });

  test("nobody corrupts what two send at once from two processes", async () => {
    await using instance = await open();
    const senders = [instance.registry, await instance.again()];
    const { id } = await instance.registry.createUpload({ sizeBytes: content.length });
    const send = async (sender: Registry): Promise<void> => {
      for (;;) {
        try {
          const upload = await sender.getUpload(id, { settled: true });
          if (upload.status === "complete") return;
          const end = upload.offsetBytes + 400_000;
          await sendRest(sender, upload, content.subarray(0, end));
        } catch (error) {
          expect(error).toHaveProperty("code", expect.stringMatching(/^upload_(locked|conflict)$/));
        }
      }
    };
    await Promise.all(senders.map(send));
    const complete = await instance.registry.getUpload(id);
    expect(complete.address).toBe(await addressOf(content));
  });

  test("one that died is waited for until its lock ends", async () => {
    await using instance = await open();
    const { registry } = instance;
    const upload = await registry.createUpload({ sizeBytes: content.length });
    const lockedUntil = new Date(Date.parse(upload.createdAt) + lockMs).toISOString();
    await setLock(instance, { lockedBy: "a process that died", lockedUntil });
    const append = registry.appendUpload(upload.id, 0, chunked(content));
    await sleep(250);
    instance.advance(lockMs);
    expect(await append).toMatchObject({ status: "complete", address: await addressOf(content) });
  });

  test("one that completes it is waited for, also by those who only look", async () => {
    const place = createMemoryBackend();
    const primary = withFaults(place, [{ verb: "commit", when: "before", effect: "hang" }]);
    await using instance = await openTestInstance(dialect, { backends: { primary } });
    const { registry } = instance;
    const other = await instance.again();
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const append = registry.appendUpload(id, 0, chunked(content));
    await vi.waitFor(() => expect(primary.struck).toHaveLength(1));
    const looks = [registry, other].map((each) => each.getUpload(id, { settled: true }));
    await sleep(300);
    primary.release();
    const complete = await append;
    expect(complete).toMatchObject({ status: "complete", address: await addressOf(content) });
    for (const look of looks) expect(await look).toEqual(complete);
  });
});

describe("a lock on an upload", () => {
  test("is refused after a while, where its holder lives and does not end", async () => {
    await using instance = await openTestInstance("sqlite", { uploadLockMs: lockMs });
    const { registry } = instance;
    const upload = await registry.createUpload({ sizeBytes: content.length });
    const lockedUntil = new Date(Date.parse(upload.createdAt) + lockMs).toISOString();
    await setLock(instance, { lockedBy: "another process", lockedUntil });
    const append = registry.appendUpload(upload.id, 0, chunked(content));
    expect(await codeOf(append)).toBe("upload_locked");
    const { reader, tables } = instance.database;
    const [row] = await reader.select().from(tables.uploadSessions);
    expect(row).toMatchObject({ lockedBy: "another process", offsetBytes: 0 });
    expect(row?.lockWantedAt).not.toBeNull();
    await setLock(instance, { lockedBy: null, lockedUntil: null });
  });

  test("is renewed for as long as the append lasts", async () => {
    await using instance = await openTestInstance("sqlite", {
      uploadLockMs: lockMs,
      clock: Date.now,
    });
    const { registry, database } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const first = await started(registry, id);
    const lockedUntil = async (): Promise<string> => {
      const rows = await database.reader.select().from(database.tables.uploadSessions);
      return rows[0]?.lockedUntil ?? "";
    };
    const before = await lockedUntil();
    await vi.waitFor(async () => expect((await lockedUntil()) > before).toBe(true), 5_000);
    expect(await registry.getUpload(id, { settled: true })).toMatchObject({
      offsetBytes: half.length,
    });
    expect(await first.outcome).toBe("upload_locked");
  });

  test("that another process has taken keeps its old holder from writing", async () => {
    const storage = createMemoryBackend();
    await using instance = await openTestInstance("sqlite", {
      uploadLockMs: lockMs,
      backends: { primary: storage },
    });
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    const gate = Promise.withResolvers<void>();
    const { promise: given, resolve } = Promise.withResolvers<void>();
    const stage = storage.stage.bind(storage);
    const written: number[] = [];
    vi.spyOn(storage, "stage").mockImplementation(async (options) => {
      const staged = await stage(options);
      const write = staged.write.bind(staged);
      vi.spyOn(staged, "write").mockImplementation(async (chunk) => {
        written.push(chunk.length);
        await write(chunk);
      });
      return staged;
    });
    async function* stopped(): AsyncGenerator<Uint8Array> {
      yield* chunked(content.subarray(0, 1_100_000));
      resolve();
      await gate.promise;
      yield* chunked(content.subarray(1_100_000));
    }
    const outcome = codeOf(registry.appendUpload(id, 0, stopped()));
    await given;
    // One slab is written; the rest waits to be gathered.
    await vi.waitFor(() => expect(written).toHaveLength(1));
    const until = new Date(Date.now() + 365 * 24 * 60 * 60 * 1000).toISOString();
    await setLock(instance, { lockedBy: "the new holder", lockedUntil: until });
    await sleep(lockMs);
    gate.resolve();
    expect(await outcome).toBe("upload_locked");
    expect(written).toHaveLength(1);
    const { reader, tables } = instance.database;
    const [row] = await reader.select().from(tables.uploadSessions);
    expect(row).toMatchObject({ lockedBy: "the new holder", offsetBytes: 0 });
    await setLock(instance, { lockedBy: null, lockedUntil: null });
  });
});
