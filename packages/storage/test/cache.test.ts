import type { ContentAddress } from "@store/identity";
import { ingestStream, type StorageBackend } from "@store/storage";
import { withCache } from "@store/storage/cache";
import { gathered, joined, sampleBytes } from "@store/storage/conformance";
import { callVerbs, type Fault, streamVerbs, withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { chunked } from "./byte-sources.ts";

const bytes = sampleBytes(1_000_000);

let origin: StorageBackend;
let cache: StorageBackend;
let address: ContentAddress;

beforeEach(async () => {
  origin = createMemoryBackend();
  cache = createMemoryBackend();
  address = await put(origin, bytes);
});

async function put(backend: StorageBackend, content: Uint8Array): Promise<ContentAddress> {
  const write = { lease: "test", admit: async () => "write" as const };
  return (await ingestStream(backend, chunked(content, 100_000), write)).address;
}

async function read(backend: StorageBackend, of = address): Promise<Buffer> {
  return Buffer.from(await joined(backend.open(of)));
}

async function kept(): Promise<ContentAddress[]> {
  expect(await gathered(cache.listStaged())).toEqual([]);
  return (await gathered(cache.enumerate())).map((stat) => stat.address);
}

describe("withCache", () => {
  test("reads an object from the origin once", async () => {
    const backend = withCache(origin, { cache, limitBytes: 10_000_000 });
    const open = vi.spyOn(origin, "open");
    for (let round = 0; round < 3; round++) expect((await read(backend)).equals(bytes)).toBe(true);
    expect(open).toHaveBeenCalledOnce();
    expect(await kept()).toEqual([address]);
  });

  test("reads a range from the cache, and keeps nothing for one", async () => {
    const backend = withCache(origin, { cache, limitBytes: 10_000_000 });
    const part = async (): Promise<Buffer> =>
      Buffer.from(await joined(backend.open(address, { range: { start: 10, end: 500_000 } })));
    expect((await part()).equals(bytes.subarray(10, 500_000))).toBe(true);
    expect(await kept()).toEqual([]);
    await read(backend);
    const open = vi.spyOn(origin, "open");
    expect((await part()).equals(bytes.subarray(10, 500_000))).toBe(true);
    expect(open).not.toHaveBeenCalled();
  });

  test("keeps nothing of a read that was left early or failed", async () => {
    const backend = withCache(origin, { cache, limitBytes: 10_000_000 });
    for await (const { length } of backend.open(address)) {
      expect(length).toBeGreaterThan(0);
      break;
    }
    expect(await kept()).toEqual([]);
    const failing = withFaults(origin, [{ verb: "open", when: 2, effect: "fail" }]);
    const other = withCache(failing, { cache, limitBytes: 10_000_000 });
    await expect(read(other)).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await kept()).toEqual([]);
  });

  test("keeps nothing that the origin delivers corrupt", async () => {
    const lying = withFaults(origin, [{ verb: "open", when: 0, effect: "corrupt" }]);
    const backend = withCache(lying, { cache, limitBytes: 10_000_000 });
    expect((await read(backend)).equals(bytes)).toBe(false);
    expect(await kept()).toEqual([]);
    expect((await read(backend)).equals(bytes)).toBe(true);
  });

  test("drops what is corrupt in the cache, and reads it from the origin", async () => {
    const small = await put(origin, sampleBytes(1000, 2));
    for (const target of [small, address]) {
      cache = createMemoryBackend();
      await read(withCache(origin, { cache, limitBytes: 10_000_000 }), target);
      const lying = withFaults(cache, [{ verb: "open", when: 0, effect: "corrupt" }]);
      const backend = withCache(origin, { cache: lying, limitBytes: 10_000_000 });
      await read(backend, target).catch((error: unknown) => {
        expect(error).toMatchObject({ code: "object_corrupt" });
      });
      expect((await read(backend, target)).equals(await read(origin, target))).toBe(true);
      expect(lying.struck.length).toBe(1);
    }
  });

  test("lets the least recently used go, and remembers that after a restart", async () => {
    const limitBytes = 2500;
    const addresses = [];
    for (let seed = 1; seed <= 3; seed++)
      addresses.push(await put(origin, sampleBytes(1000, seed)));
    const [first, second, third] = addresses;
    const backend = withCache(origin, { cache, limitBytes });
    for (const one of [first, second, first, third])
      if (one !== undefined) await read(backend, one);
    expect(await kept()).toEqual([first, third].toSorted());
    const again = withCache(origin, { cache, limitBytes });
    if (second !== undefined) await read(again, second);
    expect((await kept()).length).toBe(2);
    expect(await kept()).toContain(second);
  });

  test("keeps nothing that is larger than all of it", async () => {
    const backend = withCache(origin, { cache, limitBytes: 999_999 });
    expect((await read(backend)).equals(bytes)).toBe(true);
    expect(await kept()).toEqual([]);
  });

  test("removes an object from both, also while it is being read into the cache", async () => {
    const backend = withCache(origin, { cache, limitBytes: 10_000_000 });
    await read(backend);
    await backend.remove(address);
    expect(await kept()).toEqual([]);
    await expect(read(backend)).rejects.toMatchObject({ code: "object_not_found" });
    await put(origin, bytes);
    for await (const { length } of backend.open(address)) {
      expect(length).toBeGreaterThan(0);
      await backend.remove(address);
    }
    expect(await kept()).toEqual([]);
  });

  test("discards what a process that died had staged in the cache", async () => {
    await cache.stage({ lease: "cache" });
    await read(withCache(origin, { cache, limitBytes: 10_000_000 }));
    expect(await kept()).toEqual([address]);
  });

  test.each([
    ...streamVerbs.map((verb): Fault => ({ verb, call: "every", when: 0, effect: "fail" })),
    ...callVerbs.map((verb): Fault => ({ verb, call: "every", when: "before", effect: "fail" })),
  ])("serves reads while its cache fails at $verb", async (fault) => {
    await cache.stage({ lease: "cache" });
    const backend = withCache(origin, {
      cache: withFaults(cache, [fault]),
      limitBytes: 10_000_000,
    });
    for (let round = 0; round < 3; round++) expect((await read(backend)).equals(bytes)).toBe(true);
    await backend.remove(address);
  });

  test.each([-1, 1.5, Number.NaN])("refuses a limit of %d bytes", (limitBytes) => {
    expect(() => withCache(origin, { cache, limitBytes })).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  });
});
