import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openOn, type LocalStorage } from "../src/lib/backend.ts";
import { addressOf, joined, sampleBytes } from "@store/storage/conformance";
import { expect, onTestFinished, test } from "vitest";
import { failing, ObservedFileSystem } from "./lib/observed-file-system.ts";
import { addressesIn, assertSameBytes, newRoot, put, stagedIn } from "./lib/root-folder.ts";

const MEGABYTE = 1024 * 1024;
const stagingFile = /\/staging\/.+/;
const shard = /\/blake3\/..\/..$/;
const upperShard = /\/blake3\/..$/;

async function observed(): Promise<{
  files: ObservedFileSystem;
  backend: LocalStorage;
  root: string;
}> {
  const files = new ObservedFileSystem();
  const root = await newRoot(onTestFinished);
  const backend = await openOn(files, { root });
  onTestFinished(async () => backend.close());
  files.calls = [];
  return { files, backend, root };
}

test("bytes that fail to become durable by sync are discarded, and nothing else is done", async () => {
  const { files, backend } = await observed();
  const staged = await backend.stage({ lease: "test" });
  await staged.write(sampleBytes(5000));
  const fault = failing("fsync", stagingFile);
  files.before = fault;
  await expect(staged.sync()).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(fault.count).toBe(1);
  const address = await addressOf(sampleBytes(5000));
  await expect(staged.sync()).rejects.toMatchObject({ code: "staged_not_found" });
  await expect(staged.commit(address)).rejects.toMatchObject({ code: "staged_not_found" });
  await expect(backend.resume(staged.id)).rejects.toMatchObject({ code: "staged_not_found" });
  expect(files.made("fsync", stagingFile)).toHaveLength(1);
  expect(await stagedIn(backend)).toEqual([]);
  expect(await addressesIn(backend)).toEqual([]);
  await staged.abort();
});

test("a small object whose sync failed is written anew, to another file, when it is tried again", async () => {
  const { files, backend } = await observed();
  const bytes = sampleBytes(5000);
  const address = await addressOf(bytes);
  const staged = await backend.stage({ lease: "test" });
  await staged.write(bytes);
  files.before = failing("fsync", stagingFile);
  await expect(staged.commit(address)).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(await backend.stat(address)).toBeUndefined();
  expect(files.made("unlink", stagingFile)).toHaveLength(1);
  expect(files.openPaths).toEqual([]);
  expect(await staged.commit(address)).toEqual({ address, sizeBytes: 5000, existed: false });
  expect(files.made("open", stagingFile)).toHaveLength(2);
  expect(files.made("write", stagingFile)).toHaveLength(2);
  assertSameBytes(await joined(backend.open(address)), bytes);
});

test("a large object whose sync failed is lost, and every further attempt says so", async () => {
  const { files, backend } = await observed();
  const bytes = sampleBytes(3 * MEGABYTE);
  const address = await addressOf(bytes);
  const staged = await backend.stage({ lease: "test" });
  await staged.write(bytes);
  files.before = failing("fsync", stagingFile);
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(staged.commit(address)).rejects.toMatchObject({
      code: "storage_unavailable",
      context: { reference: address },
    });
  }
  expect(files.made("fsync", stagingFile)).toHaveLength(1);
  expect(await stagedIn(backend)).toEqual([]);
  expect(await addressesIn(backend)).toEqual([]);
  await staged.abort();
});

test("a sync that fails while a long write goes on is never forgotten", async () => {
  const { files, backend } = await observed();
  const chunk = sampleBytes(MEGABYTE);
  const staged = await backend.stage({ lease: "test" });
  const fault = failing("fsync", stagingFile);
  files.before = fault;
  for (let count = 0; count < 24; count++) await staged.write(chunk);
  // The disk was set to work after 16 MiB.
  expect(fault.count).toBe(1);
  const committing = staged.commit(await addressOf(chunk));
  await expect(committing).rejects.toMatchObject({ code: "storage_unavailable" });
  await staged.abort();
  expect(await addressesIn(backend)).toEqual([]);
  expect(await stagedIn(backend)).toEqual([]);
});

test("an object whose folder failed to sync is not acknowledged, and a later one is put anew", async () => {
  const { files, backend } = await observed();
  const bytes = sampleBytes(5000);
  const address = await addressOf(bytes);
  const staged = await backend.stage({ lease: "test" });
  await staged.write(bytes);
  files.before = failing("fsync", shard);
  await expect(staged.commit(address)).rejects.toMatchObject({ code: "storage_unavailable" });
  await expect(staged.commit(address)).rejects.toMatchObject({ code: "storage_unavailable" });
  await staged.abort();
  // It stands there, but a sync that succeeds now would prove nothing about it.
  expect(await addressesIn(backend)).toEqual([address]);
  expect(files.made("rename")).toHaveLength(1);
  expect((await put(backend, bytes)).existed).toBe(false);
  expect(files.made("rename")).toHaveLength(2);
  expect((await put(backend, bytes)).existed).toBe(true);
  expect(files.made("rename")).toHaveLength(2);
  expect(await stagedIn(backend)).toEqual([]);
});

test("an object in a new folder that failed to become durable is not published", async () => {
  const { files, backend } = await observed();
  const bytes = sampleBytes(5000);
  const address = await addressOf(bytes);
  const staged = await backend.stage({ lease: "test" });
  await staged.write(bytes);
  files.before = failing("fsync", upperShard);
  await expect(staged.commit(address)).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(await addressesIn(backend)).toEqual([]);
  expect(files.made("rmdir", shard)).toHaveLength(1);
  expect((await staged.commit(address)).existed).toBe(false);
  expect(files.made("mkdir", shard)).toHaveLength(2);
  expect(await addressesIn(backend)).toEqual([address]);
});

test("a process syncs the parent of a folder that another one made, once", async () => {
  const { backend, root } = await observed();
  const first = sampleBytes(100);
  const address = await addressOf(first);
  const sibling = (end: string) =>
    addressOf(first).then((own) => own.slice(0, -2) + end) as ReturnType<typeof addressOf>;
  await put(backend, first);
  const files = new ObservedFileSystem();
  const other = await openOn(files, { root });
  onTestFinished(async () => other.close());
  await put(other, sampleBytes(101), await sibling("aa"));
  expect(files.made("fsync", upperShard)).toHaveLength(1);
  expect(files.made("fsync", shard)).toHaveLength(1);
  await put(other, sampleBytes(101), await sibling("bb"));
  expect(files.made("fsync", upperShard)).toHaveLength(1);
  expect(files.made("fsync", shard)).toHaveLength(2);
  // The first may still have been about to sync the object's folder.
  files.calls = [];
  expect((await put(other, first, address)).existed).toBe(true);
  expect(files.made("fsync", shard)).toHaveLength(1);
});

test("commits at once in one folder share its sync, and fail with it", async () => {
  const { files, backend } = await observed();
  const own = await addressOf(sampleBytes(1));
  const addresses = Array.from(
    { length: 20 },
    (_, index) => `${own.slice(0, -2)}${10 + index}` as typeof own,
  );
  await Promise.all(addresses.map(async (address) => put(backend, sampleBytes(10), address)));
  expect(files.made("fsync", shard).length).toBeLessThan(20);
  expect(files.made("fsync", upperShard).length).toBeLessThan(20);

  // All renamed before the sync ends: each is either in it, or queued behind it.
  const more = addresses.map((address) => address.replace(/..$/, "f$&").slice(0, 71) as typeof own);
  const renamed = Promise.withResolvers<void>();
  let syncs = 0;
  files.calls = [];
  files.before = async (call) => {
    if (call.verb === "rename" && files.made("rename").length === more.length) renamed.resolve();
    if (call.verb !== "fsync" || !shard.test(call.path) || syncs++ > 0) return;
    await renamed.promise;
    throw Object.assign(new Error("EIO"), { code: "EIO" });
  };
  const puts = more.map(async (address) => put(backend, sampleBytes(10), address));
  const outcomes = await Promise.allSettled(puts);
  expect(outcomes.map(({ status }) => status)).toEqual(more.map(() => "rejected"));
});

test("a commit relies on no sync of its folder that began before it", async () => {
  const { files, backend } = await observed();
  const own = await addressOf(sampleBytes(1));
  const sibling = `${own.slice(0, -2)}00` as typeof own;
  const renamed = Promise.withResolvers<void>();
  files.before = async ({ verb, path }) => {
    if (verb === "fsync" && shard.test(path) && files.made("fsync", shard).length === 1) {
      await renamed.promise;
      await setTimeout(20);
    }
    if (verb === "rename" && files.made("rename").length === 2) renamed.resolve();
  };
  await Promise.all([put(backend, sampleBytes(1), own), put(backend, sampleBytes(2), sibling)]);
  expect(files.made("fsync", shard)).toHaveLength(2);
});

test("a reader that leaves early closes its file after the read that is under way", async () => {
  const { files, backend } = await observed();
  const { address } = await put(backend, sampleBytes(4 * MEGABYTE));
  files.before = async ({ verb }) => {
    if (verb === "read") await setTimeout(20);
  };
  for await (const chunk of backend.open(address)) {
    expect(chunk).toHaveLength(MEGABYTE);
    break;
  }
  expect(files.closedInUse).toEqual([]);
  expect(files.openPaths).toEqual([]);
});

test.each([
  ["ENOSPC", "storage_full"],
  ["EDQUOT", "storage_full"],
  ["EFBIG", "storage_full"],
  ["EACCES", "permission_denied"],
  ["EPERM", "permission_denied"],
  ["EROFS", "permission_denied"],
  ["EIO", "storage_unavailable"],
  ["ESTALE", "storage_unavailable"],
])("%s is told as %s, with the address and what to do", async (errno, code) => {
  const { files, backend, root } = await observed();
  const bytes = sampleBytes(5000);
  const address = await addressOf(bytes);
  files.before = failing("write", stagingFile, errno);
  const error: unknown = await put(backend, bytes).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code, context: { reference: address } });
  const { message } = error as Error;
  expect(message).toContain(address);
  expect(message).toContain(errno);
  expect(message).toMatch(/\. (Let|Check|The disk)/);
  expect(message).not.toContain(root);
  files.before = failing("open", /\/blake3\//, errno);
  await expect(joined(backend.open(address))).rejects.toMatchObject({ code });
  files.before = failing("lstat", /\/blake3\//, errno);
  await expect(backend.stat(address)).rejects.toMatchObject({ code });
});

test("short reads and writes change nothing", async () => {
  const { files, backend } = await observed();
  const bytes = sampleBytes(2 * MEGABYTE + 77);
  files.stepBytes = 65_521;
  const { address } = await put(backend, bytes);
  assertSameBytes(await joined(backend.open(address)), bytes);
  expect(files.made("write").length).toBeGreaterThan(32);
});

test("a file that is cut while it is read is told as corrupt", async () => {
  const { files, backend } = await observed();
  const bytes = sampleBytes(3 * MEGABYTE);
  const { address } = await put(backend, bytes);
  const [opened] = files.made("rename");
  const reading = async () => {
    for await (const { length } of backend.open(address)) {
      if (length > 0) await truncate(opened?.path ?? "", MEGABYTE + 10);
    }
  };
  await expect(reading()).rejects.toMatchObject({
    code: "object_corrupt",
    context: { reference: address },
  });
  expect(files.openPaths).toEqual([]);
});

test("a small object that is there already never touches the disk again", async () => {
  const { files, backend, root } = await observed();
  const bytes = sampleBytes(MEGABYTE);
  await put(backend, bytes);
  files.calls = [];
  expect((await put(backend, bytes)).existed).toBe(true);
  expect(files.made("open", stagingFile)).toEqual([]);
  expect(files.made("write")).toEqual([]);
  const aborted = await backend.stage({ lease: "test" });
  await aborted.write(bytes);
  await aborted.abort();
  expect(files.calls.filter(({ path }) => path.startsWith(join(root, "staging")))).toEqual([]);
});

test("staged bytes that somebody else discarded are not published", async () => {
  const { backend, root } = await observed();
  const other = await openOn(new ObservedFileSystem(), { root });
  onTestFinished(async () => other.close());
  const bytes = sampleBytes(3 * MEGABYTE);
  const address = await addressOf(bytes);
  for (const synced of [true, false]) {
    const staged = await backend.stage({ lease: "test" });
    await staged.write(bytes);
    if (synced) await staged.sync();
    await other.discardStaged(staged.id);
    await expect(staged.commit(address)).rejects.toMatchObject({ code: "staged_not_found" });
    await staged.abort();
  }
  expect(await addressesIn(backend)).toEqual([]);
  expect(await stagedIn(backend)).toEqual([]);
});

test("bytes discarded here while they are being written go astray nowhere", async () => {
  const { files, backend } = await observed();
  const staged = await backend.stage({ lease: "test" });
  const chunk = sampleBytes(3 * MEGABYTE);
  files.before = async ({ verb }) => {
    if (verb === "write") await setTimeout(20);
  };
  const writing = Promise.allSettled([staged.write(chunk), staged.write(chunk)]);
  await backend.discardStaged(staged.id);
  await writing;
  expect(files.closedInUse).toEqual([]);
  await expect(staged.write(chunk)).rejects.toMatchObject({ code: "staged_not_found" });
  expect(files.openPaths).toEqual([]);
  expect(await stagedIn(backend)).toEqual([]);
});

test("an upload holds no file and no place between sync and resume, in any process", async () => {
  const { files, backend, root } = await observed();
  const other = await openOn(files, { root });
  onTestFinished(async () => other.close());
  const bytes = sampleBytes(4 * MEGABYTE);
  const first = await backend.stage({ lease: "upload-7" });
  await first.write(bytes.subarray(0, 1_500_000));
  expect(await first.sync()).toBe(1_500_000);
  expect(files.openPaths).toEqual([]);
  await first.write(bytes.subarray(1_500_000, 3_000_000));
  const second = await backend.resume(first.id);
  expect(second.sizeBytes).toBeGreaterThanOrEqual(1_500_000);
  expect(files.openPaths).toEqual([]);
  await expect(first.write(bytes)).rejects.toMatchObject({ code: "staged_not_found" });
  await first.abort();
  files.calls = [];
  const third = await other.resume(second.id);
  // Its size is what the caller goes on from: it must be durable, as must be the file's name.
  expect(files.made("fsync", second.id)).toHaveLength(1);
  expect(files.made("fsync", "/staging")).toHaveLength(1);
  await third.write(bytes.subarray(third.sizeBytes));
  const address = await addressOf(bytes);
  expect(await third.commit(address)).toEqual({ address, sizeBytes: bytes.length, existed: false });
  assertSameBytes(await joined(backend.open(address)), bytes);
});

test("closing lets go of every file and keeps what was staged and synced", async () => {
  const { files, backend, root } = await observed();
  const staged = await backend.stage({ lease: "kept" });
  await staged.write(sampleBytes(3 * MEGABYTE));
  await staged.sync();
  await staged.write(sampleBytes(3 * MEGABYTE));
  const { address } = await put(backend, sampleBytes(3 * MEGABYTE));
  const reader = backend.open(address)[Symbol.asyncIterator]();
  await reader.next();
  await backend.close();
  await expect(staged.write(sampleBytes(1))).rejects.toMatchObject({ code: "closed" });
  await expect(reader.next()).rejects.toMatchObject({ code: "closed" });
  expect(files.openPaths).toEqual([]);
  const later = await openOn(files, { root });
  onTestFinished(async () => later.close());
  const resumed = await later.resume(staged.id);
  expect(resumed.sizeBytes).toBeGreaterThanOrEqual(3 * MEGABYTE);
  await resumed.abort();
});

test("staged bytes that fail to become durable are not read back, and are discarded", async () => {
  const { files, backend } = await observed();
  const staged = await backend.stage({ lease: "test" });
  await staged.write(sampleBytes(5000));
  files.before = failing("fsync", stagingFile);
  await expect(joined(staged.read())).rejects.toMatchObject({ code: "storage_unavailable" });
  await expect(joined(staged.read())).rejects.toMatchObject({ code: "staged_not_found" });
  expect(await stagedIn(backend)).toEqual([]);
});

test("reading staged bytes back holds no file once it is left, and can be tried again", async () => {
  const { files, backend } = await observed();
  const bytes = sampleBytes(3 * MEGABYTE);
  const staged = await backend.stage({ lease: "test" });
  await staged.write(bytes);
  for await (const _ of staged.read()) break;
  expect(files.openPaths).toEqual([]);
  files.before = failing("read", stagingFile);
  await expect(joined(staged.read())).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(files.openPaths).toEqual([]);
  assertSameBytes(await joined(staged.read()), bytes);
  expect(files.closedInUse).toEqual([]);
  await staged.abort();
});

test("staged bytes whose file was cut meanwhile are not read back as if they were whole", async () => {
  const { backend, root } = await observed();
  const staged = await backend.stage({ lease: "test" });
  await staged.write(sampleBytes(3 * MEGABYTE));
  await staged.sync();
  await truncate(join(root, "staging", staged.id), MEGABYTE);
  await expect(joined(staged.read())).rejects.toMatchObject({ code: "object_corrupt" });
  await staged.abort();
});
