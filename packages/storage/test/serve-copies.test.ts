import type { ContentAddress } from "@store/identity";
import { ingestStream, serveCopies, type ServedObject, type StorageBackend } from "@store/storage";
import { addressOf, joined, sampleBytes } from "@store/storage/conformance";
import { withFaults, type Fault } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { beforeEach, describe, expect, test } from "vitest";

import { chunked } from "./byte-sources.ts";

const small = sampleBytes(1_000_000);
const large = sampleBytes(5_000_000);

let near: StorageBackend;
let far: StorageBackend;
let heard: string[];

beforeEach(() => {
  near = createMemoryBackend();
  far = createMemoryBackend();
  heard = [];
});

async function put(bytes: Uint8Array, backends = [near, far]): Promise<ContentAddress> {
  const write = { lease: "test", admit: async () => "write" as const };
  for (const backend of backends) await ingestStream(backend, chunked(bytes, 100_000), write);
  return addressOf(bytes);
}

/** Stores other bytes under an address. */
async function forge(backend: StorageBackend, address: ContentAddress, bytes: Uint8Array) {
  await backend.remove(address);
  const staged = await backend.stage({ lease: "test" });
  await staged.write(bytes);
  await staged.commit(address);
}

async function serve(
  address: ContentAddress,
  sizeBytes: number,
  options: { readonly faults?: Fault[]; readonly range?: { start: number; end?: number } } = {},
): Promise<ServedObject> {
  const { faults = [], ...reading } = options;
  const copies = [
    { name: "near", reader: withFaults(near, faults) },
    { name: "far", reader: far },
  ];
  const observer = {
    onRead: (copy: string, isWhole: boolean) => heard.push(`${copy} ${isWhole ? "whole" : "read"}`),
    onFailure: (copy: string, { code }: { code: string }) => heard.push(`${copy} ${code}`),
  };
  return serveCopies(address, copies, { ...reading, sizeBytes, observer });
}

/** What was delivered, and how that ended. */
async function delivered(served: Promise<ServedObject>) {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of (await served).body) chunks.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
  return { bytes: Buffer.concat(chunks), error: undefined };
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.from(one).equals(other);

describe("an object at several places", () => {
  test.each([small, large])("is read from the first alone, and found whole", async (bytes) => {
    const address = await put(bytes);
    const served = await serve(address, bytes.length);
    expect(served).toMatchObject({ verified: "whole", sizeBytes: bytes.length });
    expect(same(await joined(served.body), bytes)).toBe(true);
    expect(heard).toContain("near whole");
    expect(heard.filter((word) => word.startsWith("far"))).toEqual([]);
  });

  test("is read from the next where the first has lost it", async () => {
    const address = await put(large, [far]);
    expect(same(await joined((await serve(address, large.length)).body), large)).toBe(true);
    expect(heard).toEqual(["near object_not_found", "far read", "far whole"]);
  });

  test("goes on from the next byte where one breaks off", async () => {
    const address = await put(large);
    const faults: Fault[] = [{ verb: "open", when: 2, effect: "fail" }];
    expect(same(await joined((await serve(address, large.length, { faults })).body), large)).toBe(
      true,
    );
    // Nobody can say of the far copy that it is whole: a part of it was read.
    expect(heard).toEqual(["near storage_unavailable", "far read"]);
  });

  test("goes on where one ends too early, and says that this one is corrupt", async () => {
    const address = await put(large);
    const faults: Fault[] = [{ verb: "open", when: 1, effect: "truncate" }];
    expect(same(await joined((await serve(address, large.length, { faults })).body), large)).toBe(
      true,
    );
    expect(heard).toEqual(["near object_corrupt", "far read"]);
  });

  test("is never begun to be delivered from a corrupt copy if it is small", async () => {
    const address = await put(small);
    const faults: Fault[] = [{ verb: "open", when: 0, effect: "corrupt" }];
    const served = serve(address, small.length, { faults });
    expect(same((await delivered(served)).bytes, small)).toBe(true);
    expect(heard).toEqual(["near object_corrupt", "far whole"]);
  });

  test("is cut before its last chunk if it is large and turns out corrupt", async () => {
    const address = await put(large);
    const faults: Fault[] = [{ verb: "open", when: 3, effect: "corrupt" }];
    const { bytes, error } = await delivered(serve(address, large.length, { faults }));
    expect(error).toMatchObject({ code: "object_corrupt" });
    expect(bytes.length).toBeLessThan(large.length);
    expect(heard).toEqual(["near read", "near object_corrupt"]);
  });

  test("is cut where parts of two copies do not fit, and neither is blamed", async () => {
    const address = await put(large);
    await forge(far, address, sampleBytes(large.length).fill(7));
    const faults: Fault[] = [{ verb: "open", when: 2, effect: "fail" }];
    const { bytes, error } = await delivered(serve(address, large.length, { faults }));
    expect(error).toMatchObject({ code: "object_corrupt" });
    expect(bytes.length).toBeLessThan(large.length);
    expect(heard).toEqual(["near storage_unavailable", "far read"]);
  });

  test("is found out by its size where it is shorter than recorded, also for a range", async () => {
    const address = await put(large);
    await forge(near, address, large.subarray(0, 1_000));
    for (const range of [undefined, { start: 10, end: 500 }, { start: 4_999_000 }]) {
      heard = [];
      const served = await serve(address, large.length, range === undefined ? {} : { range });
      const wanted = large.subarray(range?.start ?? 0, range?.end ?? large.length);
      expect(same(await joined(served.body), wanted)).toBe(true);
      expect(heard[0]).toBe("near object_corrupt");
    }
  });

  test("gives a range unverified, from two copies where one breaks off", async () => {
    const address = await put(large);
    const faults: Fault[] = [{ verb: "open", when: 1, effect: "fail" }];
    const range = { start: 1_000_000, end: 4_000_000 };
    const served = await serve(address, large.length, { faults, range });
    expect(served).toMatchObject({ verified: "none", range });
    expect(same(await joined(served.body), large.subarray(range.start, range.end))).toBe(true);
  });

  test("ends well where a place fails only after the last byte", async () => {
    const address = await put(large);
    const faults: Fault[] = [{ verb: "open", when: "end", effect: "fail" }];
    expect(same(await joined((await serve(address, large.length, { faults })).body), large)).toBe(
      true,
    );
  });
});

describe("an object that no place can give is refused", () => {
  test("as one that is not there where every place says so", async () => {
    const address = await addressOf(small);
    await expect(serve(address, small.length)).rejects.toMatchObject({ code: "object_not_found" });
  });

  test("as unavailable where a place does not answer, which may have it", async () => {
    const address = await addressOf(small);
    const faults: Fault[] = [{ verb: "stat", when: "before", effect: "fail" }];
    await expect(serve(address, small.length, { faults })).rejects.toMatchObject({
      code: "storage_unavailable",
    });
  });

  test("as corrupt where one copy is, and another gone, naming both", async () => {
    const address = await put(small);
    await forge(near, address, sampleBytes(small.length).fill(7));
    await far.remove(address);
    const { bytes, error } = await delivered(serve(address, small.length));
    expect(bytes).toHaveLength(0);
    expect(error).toMatchObject({ code: "object_corrupt" });
    expect(String(error)).toContain("near: object_corrupt, far: object_not_found");
  });

  test.each([
    { restore: "none", told: "store objects restore blake3:" },
    { restore: "requested", told: "It was asked for" },
  ] as const)("as lying in an archive, restore $restore", async ({ restore, told }) => {
    const address = await put(small, [near]);
    const archive = {
      open: (of: ContentAddress) => near.open(of),
      stat: async (of: ContentAddress) => {
        const stat = await near.stat(of);
        const retrieval = { tier: "archive", restore } as const;
        return stat === undefined ? undefined : { ...stat, retrieval };
      },
    };
    const copies = [
      { name: "gone", reader: far },
      { name: "archive", reader: archive },
    ];
    await expect(serveCopies(address, copies, { sizeBytes: small.length })).rejects.toMatchObject({
      code: "restore_required",
      message: expect.stringContaining(told),
    });
  });

  test("at once where the reader gives up", async () => {
    const address = await put(large);
    const giving = new AbortController();
    const copies = [
      { name: "near", reader: near },
      { name: "far", reader: far },
    ];
    const { body } = await serveCopies(address, copies, {
      sizeBytes: large.length,
      signal: giving.signal,
      observer: { onFailure: (copy) => heard.push(copy) },
    });
    giving.abort();
    await expect(joined(body)).rejects.toMatchObject({ code: "aborted" });
    expect(heard).toEqual([]);
  });
});
