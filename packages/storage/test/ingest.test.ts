import { setImmediate as nextTurn } from "node:timers/promises";
import { contentAddress, digestBytes } from "@store/identity";
import { type IngestOptions, ingestStream, type StorageBackend } from "@store/storage";
import { gathered, joined, sampleBytes } from "@store/storage/conformance";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { chunked, followedBy } from "./byte-sources.ts";

const MIB = 1024 * 1024;
const write: IngestOptions = { lease: "test", admit: async () => "write" };

let backend: StorageBackend;
beforeEach(() => {
  backend = createMemoryBackend();
});

async function everything(): Promise<{ objects: number; staged: number }> {
  const objects = await gathered(backend.enumerate());
  const staged = await gathered(backend.listStaged());
  return { objects: objects.length, staged: staged.length };
}

const nothing = { objects: 0, staged: 0 };

describe("ingestStream", () => {
  test.each([
    ["nothing", 0, 1],
    ["one byte", 1, 1],
    ["a small object", 4096, 4096],
    ["small chunks", 100_000, 7],
    ["exactly 1 MiB", MIB, 65_536],
    ["a byte more than 1 MiB", MIB + 1, 65_536],
    ["one chunk larger than 1 MiB", 3 * MIB + 5, 4 * MIB],
    ["chunks of 1 MiB", 5 * MIB, MIB],
    ["chunks that straddle the slabs", 6 * MIB + 77, MIB - 13],
  ])("stores %s under its address, with both digests", async (_, sizeBytes, chunkBytes) => {
    const bytes = sampleBytes(sizeBytes);
    const expected = await digestBytes(bytes);
    const { digest, address, receipt } = await ingestStream(
      backend,
      chunked(bytes, chunkBytes),
      write,
    );
    expect(address).toBe(contentAddress(expected.primary));
    expect(String(digest.sha256)).toBe(String(expected.sha256));
    expect(digest.sizeBytes).toBe(sizeBytes);
    expect(receipt).toEqual({ address, sizeBytes, existed: false });
    const stored = Buffer.from(await joined(backend.open(address)));
    expect(stored.equals(bytes)).toBe(true);
    expect(await everything()).toEqual({ objects: 1, staged: 0 });
  });

  test("gives the same digests however the bytes are cut", async () => {
    const bytes = sampleBytes(2 * MIB + 4321);
    const { primary } = await digestBytes(bytes);
    const sizes = fc.array(fc.integer({ min: 0, max: 700_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, async (cuts) => {
        async function* source(): AsyncGenerator<Uint8Array> {
          let offset = 0;
          for (const size of cuts) yield bytes.subarray(offset, (offset += size));
          yield bytes.subarray(offset);
        }
        const { address } = await ingestStream(backend, source(), write);
        expect(address).toBe(contentAddress(primary));
      }),
      { numRuns: 30 },
    );
  });

  test("never touches the backend for a small object that is present", async () => {
    const stage = vi.spyOn(backend, "stage");
    const admit = vi.fn<IngestOptions["admit"]>(async () => "present");
    const result = await ingestStream(backend, chunked(sampleBytes(MIB), 1000), {
      ...write,
      admit,
    });
    expect(result.receipt).toBeUndefined();
    expect(admit).toHaveBeenCalledExactlyOnceWith(result.digest);
    expect(stage).not.toHaveBeenCalled();
  });

  test("discards a large object that is present, having read it whole", async () => {
    const bytes = sampleBytes(3 * MIB);
    const source = chunked(bytes, 65_536);
    const result = await ingestStream(backend, source, { ...write, admit: async () => "present" });
    expect(result.receipt).toBeUndefined();
    expect(String(result.digest.primary)).toBe(String((await digestBytes(bytes)).primary));
    expect(source.given).toBe(48);
    expect(await everything()).toEqual(nothing);
  });

  test.each([1000, 3 * MIB])("asks to admit before %i bytes are visible", async (sizeBytes) => {
    const seen: unknown[] = [];
    await ingestStream(backend, chunked(sampleBytes(sizeBytes), 65_536), {
      ...write,
      admit: async () => {
        seen.push((await everything()).objects);
        return "write";
      },
    });
    expect(seen).toEqual([0]);
    expect(await everything()).toEqual({ objects: 1, staged: 0 });
  });

  test("hands the claim and the expected size to the backend", async () => {
    const bytes = sampleBytes(2 * MIB);
    const { primary, sha256 } = await digestBytes(bytes);
    const stage = vi.spyOn(backend, "stage");
    const address = contentAddress(primary);
    const claims = { address, sha256, sizeBytes: bytes.length };
    await ingestStream(backend, chunked(bytes, 65_536), { ...write, expect: claims });
    expect(stage).toHaveBeenCalledExactlyOnceWith({
      lease: "test",
      claim: address,
      expectedSizeBytes: bytes.length,
    });
  });

  test("takes a claim by either algorithm", async () => {
    const bytes = sampleBytes(100);
    const address = contentAddress((await digestBytes(bytes)).sha256);
    const result = await ingestStream(backend, chunked(bytes, 10), {
      ...write,
      expect: { address },
    });
    expect(result.address).toBe(contentAddress((await digestBytes(bytes)).primary));
  });

  test("holds back a source that is faster than the backend", async () => {
    const slow = withFaults(backend, [{ verb: "write", when: "before", effect: "hang" }]);
    const source = chunked(sampleBytes(20 * MIB), MIB);
    const ingest = ingestStream(slow, source, write);
    await vi.waitUntil(() => slow.struck.length === 1);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(source.given).toBeLessThanOrEqual(4);
    slow.release();
    await ingest;
    expect(source.given).toBe(20);
  });

  test("reports what it has read, at most once a MiB and at the end", async () => {
    const seen: number[] = [];
    const onProgress = (readBytes: number): void => void seen.push(readBytes);
    await ingestStream(backend, chunked(sampleBytes(3 * MIB + 5), 1000), { ...write, onProgress });
    expect(seen.length).toBeLessThanOrEqual(4);
    expect(seen.at(-1)).toBe(3 * MIB + 5);
    expect(seen).toEqual(seen.toSorted((one, other) => one - other));
    await ingestStream(backend, chunked(sampleBytes(5), 1000), { ...write, onProgress });
    expect(seen.at(-1)).toBe(5);
  });
});

describe("ingestStream to a slow backend", () => {
  test("leaves a slab alone until it is written", async () => {
    const { stage } = backend;
    vi.spyOn(backend, "stage").mockImplementation(async (options) => {
      const staged = await stage.call(backend, options);
      const write = staged.write.bind(staged);
      vi.spyOn(staged, "write").mockImplementation(async (chunk) => {
        for (let turn = 0; turn < 5; turn++) await nextTurn();
        await write(chunk);
      });
      return staged;
    });
    const bytes = sampleBytes(6 * MIB + 1);
    const { address } = await ingestStream(backend, chunked(bytes, 300_000), write);
    expect(Buffer.from(await joined(backend.open(address))).equals(bytes)).toBe(true);
  });

  test("discards nothing while a write is under way", async () => {
    const faulty = withFaults(backend, [
      { verb: "write", when: "before", effect: "hang" },
      { verb: "abort", when: "after", effect: "fail" },
    ]);
    const source = followedBy(chunked(sampleBytes(MIB + 1), MIB), async () => {
      throw new Error("the source broke");
    });
    const ingest = ingestStream(faulty, source, write);
    const failure = expect(ingest).rejects.toThrow("the source broke");
    await vi.waitUntil(() => source.released);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(faulty.struck.map(({ verb }) => verb)).toEqual(["write"]);
    faulty.release();
    await failure;
    expect(faulty.struck.map(({ verb }) => verb)).toEqual(["write", "abort"]);
    expect(await everything()).toEqual(nothing);
  });
});
