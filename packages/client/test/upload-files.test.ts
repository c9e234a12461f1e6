import type { AddedFile } from "@store/api";
import { contentAddress, createDualHasher, StoreError, type ContentAddress } from "@store/identity";
import { expect, test } from "vitest";

import {
  uploadFiles,
  type UploadProgress,
  type UploadSource,
  type UploadTarget,
} from "../src/index.ts";

const coder = new TextEncoder();

function source(path: string, text: string | Uint8Array, more: Partial<UploadSource> = {}) {
  const bytes = typeof text === "string" ? coder.encode(text) : text;
  const made: UploadSource = {
    path,
    open: async function* ({ start, end } = { start: 0 }) {
      yield bytes.subarray(start, end);
    },
    ...more,
  };
  return made;
}

/** A target that remembers what it was asked, and holds what it was sent. */
class Target implements UploadTarget {
  readonly asked: number[] = [];
  readonly added = new Map<string, string>();
  readonly sent: string[] = [];
  readonly held = new Map<ContentAddress, Omit<AddedFile, "path" | "deduplicated">>();
  underWay = 0;
  mostUnderWay = 0;
  /** Awaited while a file is received. */
  receive: (path: string) => Promise<void> = async () => {};
  isReadable = true;

  async listMissing(addresses: readonly ContentAddress[]): Promise<ContentAddress[]> {
    this.asked.push(addresses.length);
    return addresses.filter((address) => !this.held.has(address));
  }

  async addFile(_: string, path: string, object: unknown): Promise<AddedFile> {
    const held = this.held.get(object as ContentAddress);
    if (held === undefined || !this.isReadable) {
      throw new StoreError("object_not_found", "It is not there.");
    }
    this.added.set(path, "by address");
    return { ...held, path, deduplicated: true };
  }

  async ingestFile(_: string, path: string, bytes: AsyncIterable<Uint8Array>): Promise<AddedFile> {
    this.mostUnderWay = Math.max(this.mostUnderWay, (this.underWay += 1));
    const hasher = await createDualHasher();
    try {
      for await (const chunk of bytes) hasher.update(chunk);
      await this.receive(path);
    } finally {
      this.underWay -= 1;
    }
    const { primary, sha256, sizeBytes } = hasher.digest();
    const address = contentAddress(primary);
    const held = { address, sha256: contentAddress(sha256), sizeBytes, executable: false };
    this.held.set(address, held);
    this.sent.push(path);
    this.added.set(path, "sent");
    return { ...held, path, deduplicated: false };
  }
}

test("sends each content once, though it stands at many paths and in many batches", async () => {
  const target = new Target();
  const files = Array.from({ length: 2_500 }, (_, index) =>
    source(`${index}`, `content ${index % 100}`),
  );
  const outcome = await uploadFiles(target, "p", files);
  expect(target.sent).toHaveLength(100);
  expect(target.added.size).toBe(2_500);
  // The later batches hold nothing that was not asked about.
  expect(target.asked).toEqual([100]);
  expect(outcome).toMatchObject({ files: 2_500, deduplicated: 2_400, newObjects: 100 });
});

test("asks in batches, of files that come as they are found", async () => {
  const target = new Target();
  async function* found() {
    for (let index = 0; index < 2_100; index += 1) yield source(`${index}`, `${index}`);
    await Promise.resolve();
  }
  await uploadFiles(target, "p", found());
  expect(target.asked).toEqual([1_000, 1_000, 100]);
});

test("has no more under way than it may", async () => {
  const target = new Target();
  target.receive = () => new Promise((resolve) => setImmediate(resolve));
  const files = Array.from({ length: 50 }, (_, index) => source(`${index}`, `${index}`));
  await uploadFiles(target, "p", files, { concurrency: 3 });
  expect(target.mostUnderWay).toBe(3);

  // Eight of eight mebibytes are all that memory is for.
  const large = Array.from({ length: 12 }, (_, index) =>
    source(`large ${index}`, new Uint8Array(8 * 1024 * 1024).fill(index)),
  );
  target.mostUnderWay = 0;
  await uploadFiles(target, "p", large);
  expect(target.mostUnderWay).toBeLessThanOrEqual(8);
});

test("sends what is there but may not be read, though another path has it", async () => {
  const target = new Target();
  await uploadFiles(target, "p", [source("a", "same")]);
  target.isReadable = false;
  const outcome = await uploadFiles(target, "p", [source("b", "same"), source("c", "same")]);
  expect(target.sent).toEqual(["a", "b", "c"]);
  expect(outcome).toMatchObject({ files: 2, deduplicated: 0 });
});

test("reads small files once, and large ones twice", async () => {
  const target = new Target();
  const opened: string[] = [];
  const counted = (path: string, bytes: Uint8Array) => {
    const { open } = source(path, bytes);
    return source(path, bytes, {
      open: (range) => {
        opened.push(path);
        return open(range);
      },
    });
  };
  await uploadFiles(target, "p", [
    counted("small", new Uint8Array(65_536)),
    counted("large", new Uint8Array(65_537)),
  ]);
  expect(opened.toSorted()).toEqual(["large", "large", "small"]);
});

test("tells how far it has come, and comes to the end", async () => {
  const target = new Target();
  const seen: UploadProgress[] = [];
  const files = [source("a", "one"), source("b", "one"), source("c", "three")];
  const outcome = await uploadFiles(target, "p", files, {
    onProgress: (progress) => void seen.push(progress),
  });
  const { newObjects: _, newBytes: __, ...last } = outcome;
  expect(seen.at(-1)).toEqual(last);
  expect(outcome).toEqual({
    files: 3,
    bytes: 11,
    sentBytes: 8,
    deduplicated: 1,
    newObjects: 2,
    newBytes: 8,
  });
  const bytes = seen.map((progress) => progress.bytes);
  expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
});

test("waits for everything under way before it throws the first failure", async () => {
  const target = new Target();
  const failure = new StoreError("storage_full", "There is no room.");
  target.receive = async (path) => {
    if (path === "1") throw failure;
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const files = Array.from({ length: 200 }, (_, index) => source(`${index}`, `${index}`));
  await expect(uploadFiles(target, "p", files, { concurrency: 4 })).rejects.toBe(failure);
  expect(target.underWay).toBe(0);
  expect(target.sent.length).toBeLessThan(10);
});

test("passes on what a source throws, and closes the list of files", async () => {
  const target = new Target();
  const failure = new Error("the disk is gone");
  let isClosed = false;
  const broken = source("broken", "", {
    open: async function* () {
      yield new Uint8Array(1);
      throw failure;
    },
  });
  async function* files() {
    try {
      for (let index = 0; ; index += 1) yield index === 1_500 ? broken : source(`${index}`, "");
    } finally {
      isClosed = true;
      await Promise.resolve();
    }
  }
  await expect(uploadFiles(target, "p", files())).rejects.toBe(failure);
  expect(isClosed).toBe(true);
});

test("gives up when its signal fires, and before it begins", async () => {
  const target = new Target();
  const stop = new AbortController();
  target.receive = async () => stop.abort("enough");
  const files = Array.from({ length: 100 }, (_, index) => source(`${index}`, `${index}`));
  const { signal } = stop;
  await expect(uploadFiles(target, "p", files, { concurrency: 2, signal })).rejects.toMatchObject({
    code: "aborted",
    cause: "enough",
  });
  expect(target.sent.length).toBeLessThan(10);
  const before = target.asked.length;
  await expect(uploadFiles(target, "p", files, { signal })).rejects.toMatchObject({
    code: "aborted",
  });
  expect(target.asked).toHaveLength(before);
});

test.each([
  ["longer", [100_000, 100_001]],
  ["shorter", [100_000, 99_999]],
])("says that a source changed that became %s", async (_, sizes) => {
  const left = [...sizes];
  const changing = source("a", "", {
    open: async function* () {
      yield new Uint8Array(left.shift() ?? 0);
    },
  });
  await expect(uploadFiles(new Target(), "p", [changing])).rejects.toMatchObject({
    code: "source_changed",
    context: { path: "a" },
  });
});
