import { contentAddress, Digest, StoreError } from "@store/identity";
import { type IngestOptions, ingestStream, type StorageBackend } from "@store/storage";
import { gathered, sampleBytes } from "@store/storage/conformance";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { chunked, followedBy, never } from "./byte-sources.ts";

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

describe.each([
  ["a small object", 50_000],
  ["a large object", 3 * MIB],
])("ingestStream of %s", (_, sizeBytes) => {
  const bytes = sampleBytes(sizeBytes);
  const other = Digest.of("sha256", new Uint8Array(32));

  test.each([
    ["another address", { address: contentAddress(other) }, "digest_mismatch"],
    ["another SHA-256", { sha256: other }, "digest_mismatch"],
    ["a larger size", { sizeBytes: sizeBytes + 1 }, "size_mismatch"],
    ["a smaller size", { sizeBytes: sizeBytes - 1 }, "size_mismatch"],
    ["no size at all", { sizeBytes: 0 }, "size_mismatch"],
  ])("refuses it where %s is expected, and keeps nothing", async (_what, claims, code) => {
    const admit = vi.fn<IngestOptions["admit"]>(async () => "write");
    const source = chunked(bytes, 65_536);
    const ingest = ingestStream(backend, source, { ...write, admit, expect: claims });
    await expect(ingest).rejects.toMatchObject({ code });
    expect(admit).not.toHaveBeenCalled();
    expect(await everything()).toEqual(nothing);
  });

  test("stops reading where it is larger than was expected or is allowed", async () => {
    for (const limits of [{ expect: { sizeBytes: 10 } }, { limitBytes: 10 }]) {
      const source = chunked(bytes, 10_000);
      const ingest = ingestStream(backend, source, { ...write, ...limits });
      const code = "expect" in limits ? "size_mismatch" : "limit_exceeded";
      await expect(ingest).rejects.toMatchObject({ code });
      expect(source.given).toBe(1);
      expect(source.released).toBe(true);
    }
    expect(await everything()).toEqual(nothing);
  });

  test("accepts it at its limit, and not a byte above", async () => {
    const atLimit = { ...write, limitBytes: sizeBytes };
    await ingestStream(backend, chunked(bytes, 65_536), atLimit);
    const above = ingestStream(backend, chunked(bytes, 65_536), {
      ...write,
      limitBytes: sizeBytes - 1,
    });
    await expect(above).rejects.toMatchObject({
      code: "limit_exceeded",
      context: { limit: sizeBytes - 1 },
    });
  });

  test("passes on what the source throws, and keeps nothing", async () => {
    const failure = new Error("the disk was pulled out");
    const source = followedBy(chunked(bytes, 65_536), async () => {
      throw failure;
    });
    await expect(ingestStream(backend, source, write)).rejects.toBe(failure);
    expect(source.released).toBe(true);
    expect(await everything()).toEqual(nothing);
  });

  test("gives up when its signal fires while the source is silent", async () => {
    const controller = new AbortController();
    const reason = new Error("the client went away");
    const source = followedBy(chunked(bytes, 65_536), async () => {
      setImmediate(() => controller.abort(reason));
      await never();
    });
    const ingest = ingestStream(backend, source, { ...write, signal: controller.signal });
    await expect(ingest).rejects.toMatchObject({ code: "aborted", cause: reason });
    expect(await everything()).toEqual(nothing);
  });

  test("gives up when its signal fires before the commit", async () => {
    const controller = new AbortController();
    const ingest = ingestStream(backend, chunked(bytes, 65_536), {
      lease: "test",
      signal: controller.signal,
      admit: async () => {
        controller.abort();
        return "write";
      },
    });
    await expect(ingest).rejects.toMatchObject({ code: "aborted" });
    expect(await everything()).toEqual(nothing);
  });

  test("keeps nothing where it is not admitted", async () => {
    const refusal = new StoreError("permission_denied", "Not here.");
    const ingest = ingestStream(backend, chunked(bytes, 65_536), {
      lease: "test",
      admit: async () => {
        throw refusal;
      },
    });
    await expect(ingest).rejects.toBe(refusal);
    expect(await everything()).toEqual(nothing);
  });

  test("keeps nothing where the backend is full", async () => {
    backend = createMemoryBackend({ capacityBytes: sizeBytes - 1 });
    const source = chunked(bytes, 65_536);
    await expect(ingestStream(backend, source, write)).rejects.toMatchObject({
      code: "storage_full",
    });
    expect(await everything()).toEqual(nothing);
    expect((await backend.health()).freeBytes).toBe(sizeBytes - 1);
  });

  test("throws the first failure, not that of discarding after it", async () => {
    const faulty = withFaults(backend, [
      { verb: "commit", when: "before", effect: "fail", error: new Error("the first") },
      { verb: "abort", when: "before", effect: "fail", error: new Error("the second") },
    ]);
    const ingest = ingestStream(faulty, chunked(bytes, 65_536), write);
    await expect(ingest).rejects.toThrow("the first");
    expect(faulty.struck.map(({ verb }) => verb)).toEqual(["commit", "abort"]);
  });
});

describe("ingestStream refuses at once", () => {
  test.each([
    ["a lease that breaks its rule", { lease: "A b" }, "invalid_argument"],
    ["a size that is no whole number", { expect: { sizeBytes: 1.5 } }, "invalid_argument"],
    ["a negative limit", { limitBytes: -1 }, "invalid_argument"],
    [
      "a declared size above the limit",
      { expect: { sizeBytes: 2 }, limitBytes: 1 },
      "limit_exceeded",
    ],
    ["a signal that has fired", { signal: AbortSignal.abort() }, "aborted"],
  ])("%s", async (_, options, code) => {
    const source = chunked(sampleBytes(10), 10);
    const ingest = ingestStream(backend, source, { ...write, ...options });
    await expect(ingest).rejects.toMatchObject({ code });
    expect(source.given).toBe(0);
  });

  test("a source of texts", async () => {
    async function* texts(): AsyncGenerator<Uint8Array> {
      const [text]: Uint8Array[] = JSON.parse('["text"]');
      if (text !== undefined) yield text;
    }
    await expect(ingestStream(backend, texts(), write)).rejects.toMatchObject({
      code: "invalid_argument",
    });
  });

  test("a source that fails before it begins", async () => {
    const failure = new Error("no such stream");
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next() {
          throw failure;
        },
      }),
    };
    await expect(ingestStream(backend, source, write)).rejects.toBe(failure);
  });
});
