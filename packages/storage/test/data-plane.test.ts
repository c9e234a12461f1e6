import { type ContentAddress, contentAddress, Digest, digestBytes } from "@store/identity";
import {
  ingestStream,
  removeObject,
  replicateObject,
  serveObject,
  type StorageBackend,
  verifyObject,
} from "@store/storage";
import { gathered, joined, sampleBytes } from "@store/storage/conformance";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { chunked } from "./byte-sources.ts";

const bytes = sampleBytes(3_000_000);
const absent = contentAddress(Digest.of("blake3", new Uint8Array(32)));
const corruptFirstChunk = [{ verb: "open", when: 0, effect: "corrupt" }] as const;

let backend: StorageBackend;
let address: ContentAddress;

beforeEach(async () => {
  backend = createMemoryBackend();
  address = await put(backend, bytes);
});

async function put(target: StorageBackend, content: Uint8Array): Promise<ContentAddress> {
  const write = { lease: "test", admit: async () => "write" as const };
  return (await ingestStream(target, chunked(content, 100_000), write)).address;
}

describe("serveObject", () => {
  test("delivers the whole object, verified", async () => {
    const served = await serveObject(backend, address);
    expect(served).toMatchObject({
      verified: "whole",
      sizeBytes: bytes.length,
      range: { start: 0, end: bytes.length },
    });
    expect(Buffer.from(await joined(served.body)).equals(bytes)).toBe(true);
  });

  test("delivers a range, and says that it is not verified", async () => {
    const served = await serveObject(backend, address, { range: { start: 5, end: 1_000_000 } });
    expect(served.verified).toBe("none");
    expect(served.range).toEqual({ start: 5, end: 1_000_000 });
    const part = Buffer.from(await joined(served.body));
    expect(part.equals(bytes.subarray(5, 1_000_000))).toBe(true);
  });

  test("takes a range from the first byte to the end as the whole", async () => {
    expect((await serveObject(backend, address, { range: { start: 0 } })).verified).toBe("whole");
  });

  test("verifies nothing where it is told not to, and says so", async () => {
    const faulty = withFaults(backend, corruptFirstChunk);
    const served = await serveObject(faulty, address, { verify: false });
    expect(served.verified).toBe("none");
    expect((await joined(served.body)).length).toBe(bytes.length);
  });

  test("never delivers the last chunk of an object that is corrupt", async () => {
    const faulty = withFaults(backend, corruptFirstChunk);
    const { body } = await serveObject(faulty, address);
    let received = 0;
    const read = async (): Promise<void> => {
      for await (const { length } of body) received += length;
    };
    await expect(read()).rejects.toMatchObject({
      code: "object_corrupt",
      context: { reference: address, expected: address },
    });
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(bytes.length);
  });

  test("delivers nothing of a corrupt object of one chunk", async () => {
    const small = await put(backend, sampleBytes(1000, 2));
    const { body } = await serveObject(withFaults(backend, corruptFirstChunk), small);
    await expect(body[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "object_corrupt",
    });
  });

  test("refuses an absent object and an impossible range before there is a body", async () => {
    await expect(serveObject(backend, absent)).rejects.toMatchObject({ code: "object_not_found" });
    const range = { start: bytes.length + 1 };
    await expect(serveObject(backend, address, { range })).rejects.toMatchObject({
      code: "invalid_range",
    });
  });

  test("opens nothing before the first chunk is asked for", async () => {
    const faulty = withFaults(backend, [{ verb: "open", when: 0, effect: "fail" }]);
    const served = await serveObject(faulty, address);
    expect(faulty.struck).toEqual([]);
    await expect(joined(served.body)).rejects.toMatchObject({ code: "storage_unavailable" });
  });

  test("asks once for a small object whose size is recorded, and says first what is wrong", async () => {
    const content = sampleBytes(1000, 3);
    const small = await put(backend, content);
    const sized = { sizeBytes: content.length };
    const faulty = withFaults(backend, [{ verb: "stat", when: "before", effect: "fail" }]);
    const served = await serveObject(faulty, small, sized);
    expect(served).toMatchObject({ verified: "whole", range: { start: 0, end: 1000 } });
    expect(Buffer.from(await joined(served.body)).equals(content)).toBe(true);
    const corrupt = withFaults(backend, corruptFirstChunk);
    for (const refused of [
      serveObject(corrupt, small, sized),
      serveObject(backend, small, { sizeBytes: 999 }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: "object_corrupt" });
    }
    await expect(serveObject(backend, absent, sized)).rejects.toMatchObject({
      code: "object_not_found",
    });
  });

  test("stops when its signal fires", async () => {
    const controller = new AbortController();
    const { body } = await serveObject(backend, address, { signal: controller.signal });
    const read = async (): Promise<void> => {
      for await (const { length } of body) {
        expect(length).toBeGreaterThan(0);
        controller.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("verifyObject", () => {
  test("finds an intact object to be so, with both digests", async () => {
    const { sha256 } = await digestBytes(bytes);
    const expected = { sha256, sizeBytes: bytes.length };
    const progress = vi.fn<(readBytes: number) => void>();
    const outcome = await verifyObject(backend, address, {
      expect: expected,
      onProgress: progress,
    });
    expect(outcome).toMatchObject({ status: "ok", digest: { sizeBytes: bytes.length } });
    expect(progress).toHaveBeenLastCalledWith(bytes.length);
  });

  test("finds a missing object to be so", async () => {
    expect(await verifyObject(backend, absent)).toEqual({ status: "missing" });
  });

  test("finds one flipped bit, and tells both digests", async () => {
    const outcome = await verifyObject(withFaults(backend, corruptFirstChunk), address);
    expect(outcome).toMatchObject({ status: "corrupt", expected: address });
    expect(outcome).toHaveProperty("actual", expect.stringMatching(/^blake3:[0-9a-f]{64}$/));
  });

  test("finds another SHA-256 or size than is recorded", async () => {
    const sha256 = Digest.of("sha256", new Uint8Array(32));
    expect(await verifyObject(backend, address, { expect: { sha256 } })).toMatchObject({
      status: "corrupt",
      expected: String(sha256),
    });
    expect(await verifyObject(backend, address, { expect: { sizeBytes: 1 } })).toEqual({
      status: "corrupt",
      expected: 1,
      actual: bytes.length,
    });
  });

  test("stops when its signal fires", async () => {
    const signal = AbortSignal.abort();
    await expect(verifyObject(backend, address, { signal })).rejects.toMatchObject({
      code: "aborted",
    });
  });
});

describe("removeObject", () => {
  test("removes an object and says what it was", async () => {
    expect(await removeObject(backend, address)).toEqual({ address, sizeBytes: bytes.length });
    expect(await backend.stat(address)).toBeUndefined();
  });

  test("takes an absent object as removed", async () => {
    expect(await removeObject(backend, absent)).toBeUndefined();
  });

  test("does not believe a backend that removes nothing", async () => {
    vi.spyOn(backend, "remove").mockResolvedValue();
    await expect(removeObject(backend, address)).rejects.toMatchObject({
      code: "storage_unavailable",
    });
  });
});

describe("replicateObject", () => {
  test("copies an object, and nothing the second time", async () => {
    const target = createMemoryBackend();
    const stage = vi.spyOn(target, "stage");
    const receipt = { address, sizeBytes: bytes.length };
    const { sha256 } = await digestBytes(bytes);
    expect(await replicateObject(backend, target, address, { lease: "a", sha256 })).toEqual({
      ...receipt,
      existed: false,
    });
    expect(await verifyObject(target, address)).toMatchObject({ status: "ok" });
    expect(await replicateObject(backend, target, address, { lease: "a" })).toEqual({
      ...receipt,
      existed: true,
    });
    expect(stage).toHaveBeenCalledOnce();
  });

  test("refuses an absent object, and one of another size in the target", async () => {
    const target = createMemoryBackend();
    await expect(replicateObject(backend, target, absent, { lease: "a" })).rejects.toMatchObject({
      code: "object_not_found",
    });
    const staged = await target.stage({ lease: "a" });
    await staged.write(new Uint8Array(3));
    await staged.commit(address);
    await expect(replicateObject(backend, target, address, { lease: "a" })).rejects.toMatchObject({
      code: "size_mismatch",
    });
    expect(await gathered(target.listStaged())).toEqual([]);
  });

  test("replaces what is damaged in the target, once all of the source is found right", async () => {
    const target = createMemoryBackend();
    const damage = async (sizeBytes: number): Promise<void> => {
      await target.remove(address);
      const staged = await target.stage({ lease: "a" });
      await staged.write(new Uint8Array(sizeBytes));
      await staged.commit(address);
    };
    const replace = vi.fn(async () => true);
    const options = { lease: "a", replace };
    await damage(3);
    expect(await replicateObject(backend, target, address, options)).toMatchObject({
      existed: false,
    });
    await damage(bytes.length);
    expect(await replicateObject(backend, target, address, options)).toMatchObject({
      existed: false,
    });
    expect(await verifyObject(target, address)).toMatchObject({ status: "ok" });
    expect(replace).toHaveBeenCalledTimes(2);

    // A source that is wrong itself takes nothing away, and neither does a caller who says no.
    const wrong = createMemoryBackend();
    const staged = await wrong.stage({ lease: "a" });
    await staged.write(new Uint8Array(bytes.length));
    await staged.commit(address);
    await expect(replicateObject(wrong, target, address, options)).rejects.toMatchObject({
      code: "object_corrupt",
    });
    expect(replace).toHaveBeenCalledTimes(2);
    const refusing = { lease: "a", replace: async () => false };
    expect(await replicateObject(backend, target, address, refusing)).toMatchObject({
      existed: true,
    });
    expect(await verifyObject(target, address)).toMatchObject({ status: "ok" });
    expect(await gathered(target.listStaged())).toEqual([]);
  });

  test("refuses an address that objects are not stored under", async () => {
    const other = contentAddress((await digestBytes(bytes)).sha256);
    const copy = replicateObject(backend, createMemoryBackend(), other, { lease: "a" });
    await expect(copy).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("stops when its signal fires, and keeps nothing", async () => {
    const target = createMemoryBackend();
    const options = { lease: "a", signal: AbortSignal.abort() };
    await expect(replicateObject(backend, target, address, options)).rejects.toMatchObject({
      code: "aborted",
    });
    expect(await gathered(target.listStaged())).toEqual([]);
  });
});
