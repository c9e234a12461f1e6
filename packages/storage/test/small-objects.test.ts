import { contentAddress, digestBytes, type ContentAddress } from "@store/identity";
import { beforeEach, describe, expect, it } from "vitest";

import { SmallObjects, type StorageBackend } from "../src/index.ts";
import { createMemoryBackend } from "../src/memory.ts";

let backend: StorageBackend;
let opened: number;

beforeEach(() => {
  const memory = createMemoryBackend();
  opened = 0;
  backend = Object.assign(Object.create(memory) as StorageBackend, {
    open: (...args: Parameters<StorageBackend["open"]>) => {
      opened += 1;
      return memory.open(...args);
    },
    stat: memory.stat.bind(memory),
    stage: memory.stage.bind(memory),
  });
});

async function put(bytes: Uint8Array): Promise<ContentAddress> {
  const address = contentAddress((await digestBytes(bytes)).primary);
  const staged = await backend.stage({ lease: "test" });
  if (bytes.length > 0) await staged.write(bytes);
  await staged.commit(address);
  return address;
}

/** What is served of an object, and how it was checked. */
async function read(
  objects: SmallObjects,
  address: ContentAddress,
  range?: { readonly start: number; readonly end?: number },
) {
  const { body, ...served } = await objects.serve(backend, address, range ? { range } : {});
  return { ...served, bytes: Buffer.concat(await Array.fromAsync(body)) };
}

describe("small objects", () => {
  it("are read from the backend once, and then from memory, whole and in ranges", async () => {
    const objects = new SmallObjects({ limitBytes: 100_000 });
    const bytes = Buffer.from("hello, world");
    const address = await put(bytes);
    const first = await read(objects, address);
    expect(first).toEqual({
      bytes,
      verified: "whole",
      sizeBytes: 12,
      range: { start: 0, end: 12 },
    });
    expect(await read(objects, address)).toEqual(first);
    expect(await read(objects, address, { start: 7 })).toEqual({
      bytes: Buffer.from("world"),
      verified: "none",
      sizeBytes: 12,
      range: { start: 7, end: 12 },
    });
    await expect(read(objects, address, { start: 13 })).rejects.toMatchObject({
      code: "invalid_range",
    });
    expect(opened).toBe(1);
  });

  it("are not what a caller makes of the bytes that it got", async () => {
    const objects = new SmallObjects({ limitBytes: 100_000 });
    const address = await put(Buffer.from("hello"));
    for (let round = 0; round < 3; round += 1) {
      const { body } = await objects.serve(backend, address);
      for await (const chunk of body) {
        expect(Buffer.from(chunk).toString()).toBe("hello");
        chunk.fill(0);
      }
    }
  });

  it("are kept apart from the buffers that they were read into", async () => {
    const objects = new SmallObjects({ limitBytes: 100_000 });
    const address = await put(Buffer.from("hello"));
    const inner = backend.open.bind(backend);
    const pool = Buffer.alloc(1024 * 1024);
    backend.open = async function* (...args) {
      for await (const chunk of inner(...args)) {
        pool.set(chunk);
        yield pool.subarray(0, chunk.length);
      }
    };
    expect((await read(objects, address)).bytes.toString()).toBe("hello");
    pool.fill(0);
    const { body } = await objects.serve(backend, address);
    const [kept] = await Array.fromAsync(body);
    expect(Buffer.from(kept ?? []).toString()).toBe("hello");
    expect(kept?.buffer.byteLength).toBe(5);
    expect(opened).toBe(1);
  });

  it.each([
    ["too large", 100_000, 64, 65],
    ["none where there is no memory", 0, 64, 10],
  ])("are not kept where they are %s", async (_, limitBytes, objectBytes, sizeBytes) => {
    const objects = new SmallObjects({ limitBytes, objectBytes });
    const address = await put(new Uint8Array(sizeBytes));
    await read(objects, address);
    await read(objects, address);
    expect(opened).toBe(2);
  });

  it("are not kept where a part was read, or the reader left before the end", async () => {
    const objects = new SmallObjects({ limitBytes: 100_000 });
    const address = await put(Buffer.from("hello"));
    await read(objects, address, { start: 0, end: 2 });
    const { body } = await objects.serve(backend, address);
    for await (const _ of body) break;
    await read(objects, address);
    expect(opened).toBe(3);
  });

  it("give way to those that were read later, so that memory is bounded", async () => {
    const objects = new SmallObjects({ limitBytes: 4_000 });
    const addresses: ContentAddress[] = [];
    for (let index = 0; index < 10; index += 1) {
      const address = await put(new Uint8Array(1_000).fill(index));
      addresses.push(address);
      await read(objects, address);
    }
    const [oldest, newest] = [addresses[0], addresses[9]];
    opened = 0;
    if (newest !== undefined) await read(objects, newest);
    expect(opened).toBe(0);
    if (oldest !== undefined) await read(objects, oldest);
    expect(opened).toBe(1);
  });

  it("that are damaged are refused, and not kept", async () => {
    const objects = new SmallObjects({ limitBytes: 100_000 });
    const address = contentAddress((await digestBytes(Buffer.from("hello"))).primary);
    const staged = await backend.stage({ lease: "test" });
    await staged.write(Buffer.from("hullo"));
    await staged.commit(address);
    for (let round = 0; round < 2; round += 1) {
      await expect(read(objects, address)).rejects.toMatchObject({ code: "object_corrupt" });
    }
    expect(opened).toBe(2);
  });
});
