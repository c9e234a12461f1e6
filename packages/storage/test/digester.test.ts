import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import type { Worker } from "node:worker_threads";
import { digestBytes } from "@store/identity";
import { createDigester, type Digester, ingestStream, SlabWriter } from "@store/storage";
import { gathered, sampleBytes } from "@store/storage/conformance";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { chunked, followedBy } from "./byte-sources.ts";

const MIB = 1024 * 1024;
const options = { lease: "test", admit: async () => "write" as const };

/** Threads that were started and not ended here, each with what it first says. */
const started: { readonly worker: Worker; readonly ready: Promise<unknown> }[] = [];
const notice = (worker: Worker): void =>
  void started.push({ worker, ready: once(worker, "message") });
beforeAll(() => void process.on("worker", notice));
afterAll(() => void process.off("worker", notice));

function shared(bytes: Uint8Array): Uint8Array {
  const memory = new Uint8Array(new SharedArrayBuffer(bytes.length));
  memory.set(bytes);
  return memory;
}

/** Ends every thread that was started so far. */
async function loseThreads(): Promise<void> {
  await Promise.all(started.map(({ ready }) => ready));
  await Promise.all(started.splice(0).map(({ worker }) => worker.terminate()));
}

describe("createDigester", () => {
  const bytes = sampleBytes(2 * MIB + 4321);

  test("makes on a thread the digests that the calling thread makes, however bytes are cut", async () => {
    const expected = await digestBytes(bytes);
    const sizes = fc.array(fc.tuple(fc.integer({ min: 0, max: 900_000 }), fc.boolean()), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (cuts) => {
        const digester = await createDigester();
        const updates: Promise<void>[] = [];
        let offset = 0;
        for (const [size, isShared] of [...cuts, [bytes.length, false] as const]) {
          const part = bytes.slice(offset, (offset += size));
          const update = digester.update(isShared ? shared(part) : part);
          updates.push(update);
          if (isShared) continue;
          await update;
          part.fill(0);
        }
        expect(await digester.digest()).toEqual(expected);
        await Promise.all(updates);
      }),
      { numRuns: 50 },
    );
    expect(started.length).toBeGreaterThan(0);
  });

  test("hashes on the calling thread what is too little to start a thread for", async () => {
    await loseThreads();
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 20_000);
    const digester = await createDigester(MIB);
    vi.restoreAllMocks();
    await digester.update(bytes);
    expect(await digester.digest()).toEqual(await digestBytes(bytes));
    expect(started).toEqual([]);
  });

  test("serves many at once from a few threads", async () => {
    const digesters = await Promise.all(Array.from({ length: 40 }, () => createDigester()));
    const parts = digesters.map((_, index) => bytes.subarray(index));
    await Promise.all(digesters.map((digester, index) => digester.update(parts[index] ?? bytes)));
    const digests = await Promise.all(digesters.map((digester) => digester.digest()));
    expect(digests).toEqual(await Promise.all(parts.map((part) => digestBytes(part))));
    expect(started.length).toBeLessThanOrEqual(4);
  });

  test.each<[string, () => Promise<Digester>]>([
    ["a thread", () => createDigester()],
    ["the calling thread", () => createDigester(0)],
  ])("is spent after the digest, on %s", async (where, create) => {
    if (where !== "a thread") await loseThreads();
    const digester = await create();
    await digester.update(bytes);
    await digester.digest();
    const spent = { code: "invalid_argument" };
    await expect(digester.digest()).rejects.toMatchObject(spent);
    await expect(digester.update(shared(bytes))).rejects.toMatchObject(spent);
    digester.abort();
  });

  test("refuses what is no bytes", async () => {
    const digester = await createDigester();
    // @ts-expect-error Callers may lack types.
    await expect(digester.update("text")).rejects.toMatchObject({ code: "invalid_argument" });
    digester.abort();
  });

  test("says that a thread was lost, and hashes on another afterwards", async () => {
    const digester = await createDigester();
    await digester.update(bytes);
    const lost = { code: "storage_unavailable", message: expect.stringContaining("was lost") };
    const memory = shared(bytes);
    // More than the thread has hashed when it is lost.
    const pending = Array.from({ length: 100 }, () => digester.update(memory));
    const outcomes = Promise.allSettled(pending);
    await loseThreads();
    expect((await outcomes).at(-1)).toMatchObject({ status: "rejected", reason: lost });
    await expect(digester.update(shared(bytes))).rejects.toMatchObject(lost);
    await expect(digester.digest()).rejects.toMatchObject(lost);
    digester.abort();
    const another = await createDigester();
    await another.update(bytes);
    expect(await another.digest()).toEqual(await digestBytes(bytes));
  });

  test("gives up what is under way when it is aborted", async () => {
    const digester = await createDigester();
    const pending = expect(digester.update(shared(bytes))).rejects.toMatchObject({
      code: "aborted",
    });
    digester.abort();
    digester.abort();
    await pending;
    await expect(digester.digest()).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("ingestStream on threads", () => {
  test("keeps nothing when a thread is lost in the middle, and works again after", async () => {
    const backend = createMemoryBackend();
    const source = followedBy(chunked(sampleBytes(3 * MIB), MIB), loseThreads);
    const failure = { code: "storage_unavailable" };
    await expect(ingestStream(backend, source, options)).rejects.toMatchObject(failure);
    expect(await gathered(backend.enumerate())).toEqual([]);
    expect(await gathered(backend.listStaged())).toEqual([]);
    const bytes = sampleBytes(5 * MIB);
    const { digest } = await ingestStream(backend, chunked(bytes, MIB), options);
    expect(digest).toEqual(await digestBytes(bytes));
  });

  test("frees its slabs when it is given up in the middle", async () => {
    const chunksUntilHeldBack = async (): Promise<number> => {
      const hanging = withFaults(createMemoryBackend(), [
        { verb: "write", when: "before", effect: "hang" },
      ]);
      const source = chunked(sampleBytes(12 * MIB), MIB);
      const ingest = ingestStream(hanging, source, options);
      await vi.waitUntil(() => hanging.struck.length === 1);
      for (let turn = 0; turn < 50; turn++) await nextTurn();
      const { given } = source;
      hanging.release();
      await ingest;
      return given;
    };
    expect(await chunksUntilHeldBack()).toBe(4);
    // More slabs than all ingests together may have under way.
    for (let round = 0; round < 80; round++) {
      const source = followedBy(chunked(sampleBytes(3 * MIB), MIB), async () => {
        throw new Error("the source broke");
      });
      const ingest = ingestStream(createMemoryBackend(), source, options);
      await expect(ingest).rejects.toThrow("the source broke");
    }
    expect(await chunksUntilHeldBack()).toBe(4);
  });

  test("lets none starve while others hold all slabs that are shared", async () => {
    const memory = createMemoryBackend();
    const sample = sampleBytes(6 * MIB);
    const hanging = Array.from({ length: 40 }, () =>
      withFaults(memory, [{ verb: "write", when: "before", effect: "hang" }]),
    );
    const held = hanging.map((backend, index) =>
      ingestStream(backend, chunked(sample.subarray(0, 5 * MIB + index), MIB), options),
    );
    await vi.waitUntil(() => hanging.every(({ struck }) => struck.length === 1), 10_000);
    const { digest } = await ingestStream(memory, chunked(sample, MIB), options);
    expect(digest).toEqual(await digestBytes(sample));
    for (const backend of hanging) backend.release();
    expect(new Set((await Promise.all(held)).map(({ address }) => address)).size).toBe(40);
  });

  test("keeps the process until it has ended, and not longer", async () => {
    const program = join(import.meta.dirname, "programs/ingest-and-end.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 8000 });
    expect(stdout).toBe("1 blake3\n");
  });
});

describe("SlabWriter", () => {
  test("has written and hashed everything when it was flushed, and goes on", async () => {
    const backend = createMemoryBackend();
    const staged = await backend.stage({ lease: "test" });
    const digester = await createDigester();
    const writer = new SlabWriter(staged, digester);
    const bytes = sampleBytes(3 * MIB + 11);
    for (const [start, end] of [
      [0, 10],
      [10, MIB + 500],
      [MIB + 500, bytes.length],
    ]) {
      await writer.append(bytes.subarray(start, end));
      await writer.flush();
      expect(staged.sizeBytes).toBe(end);
    }
    expect(await writer.finish()).toEqual(await digestBytes(bytes));
    await staged.abort();
  });
});
