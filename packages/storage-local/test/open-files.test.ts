import { constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { openOn } from "../src/lib/backend.ts";
import { OpenFiles } from "../src/lib/open-files.ts";
import { joined, sampleBytes } from "@store/storage/conformance";
import { expect, onTestFinished, test } from "vitest";
import { failing, ObservedFileSystem } from "./lib/observed-file-system.ts";
import { addressesIn, assertSameBytes, newRoot, put } from "./lib/root-folder.ts";

const MEGABYTE = 1024 * 1024;

test("many readers and writers wait for each other's files, and all get through", async () => {
  const files = new ObservedFileSystem();
  const backend = await openOn(files, {
    root: await newRoot(onTestFinished),
    maxOpenFiles: 2,
  });
  onTestFinished(async () => backend.close());
  const all = Array.from({ length: 12 }, (_, index) => sampleBytes(2 * MEGABYTE, index + 1));
  const receipts = await Promise.all(all.map(async (bytes) => put(backend, bytes)));
  files.mostOpen = 0;
  const reads = receipts.map(async ({ address }) => joined(backend.open(address)));
  for (const [index, read] of (await Promise.all(reads)).entries()) {
    assertSameBytes(read, all[index] ?? new Uint8Array(0));
  }
  expect(files.mostOpen).toBe(2);
  expect(files.openPaths).toEqual([]);
});

test("a reader that is still at its first chunk keeps no small object from being read", async () => {
  const backend = await openOn(new ObservedFileSystem(), {
    root: await newRoot(onTestFinished),
    maxOpenFiles: 1,
  });
  onTestFinished(async () => backend.close());
  const { address } = await put(backend, sampleBytes(MEGABYTE));
  const first = backend.open(address)[Symbol.asyncIterator]();
  await first.next();
  const second = backend.open(address)[Symbol.asyncIterator]();
  await second.next();
  expect((await first.next()).done).toBe(true);
  expect((await second.next()).done).toBe(true);
});

test("readers that stop while many others read hold little memory, and get their bytes", async () => {
  const backend = await openOn(new ObservedFileSystem(), { root: await newRoot(onTestFinished) });
  onTestFinished(async () => backend.close());
  const bytes = sampleBytes(3 * MEGABYTE);
  const { address } = await put(backend, bytes);
  const readers = Array.from({ length: 40 }, () =>
    backend.open(address, { reuseChunks: true })[Symbol.asyncIterator](),
  );
  const sizes: number[] = [];
  for (const reader of readers) sizes.push((await reader.next()).value?.length ?? 0);
  expect(sizes.slice(0, 32)).toEqual(Array.from({ length: 32 }, () => MEGABYTE));
  expect(sizes.slice(32)).toEqual(Array.from({ length: 8 }, () => 64 * 1024));
  assertSameBytes(await joined(backend.open(address)), bytes);
  for (const reader of readers) await reader.return?.();
  const [first] = await Array.fromAsync(backend.open(address));
  expect(first?.length).toBe(MEGABYTE);
});

test("an open waits while the process has no descriptor left", async () => {
  const files = new ObservedFileSystem();
  const backend = await openOn(files, { root: await newRoot(onTestFinished) });
  onTestFinished(async () => backend.close());
  for (const errno of ["EMFILE", "ENFILE"]) {
    const fault = failing("open", /staging|blake3/, errno, 3);
    files.before = fault;
    const { address } = await put(backend, sampleBytes(100, errno.length));
    expect(fault.count).toBe(3);
    expect(await addressesIn(backend)).toContain(address);
  }
});

test("who waits too long is told why, and who gives up is let go", async () => {
  const files = new ObservedFileSystem();
  const path = await newRoot(onTestFinished);
  await writeFile(path, "");
  const pool = new OpenFiles(files, 1, 100);
  const held = await pool.open(path, constants.O_RDONLY);
  const controller = new AbortController();
  const given = pool.open(path, constants.O_RDONLY, undefined, controller.signal);
  const late = pool.open(path, constants.O_RDONLY);
  controller.abort(new Error("gone"));
  await expect(given).rejects.toMatchObject({ code: "aborted" });
  await expect(late).rejects.toMatchObject({ code: "storage_unavailable", context: { limit: 1 } });
  const next = pool.open(path, constants.O_RDONLY);
  const last = pool.open(path, constants.O_RDONLY);
  await pool.close(held);
  await pool.close(await next);
  await pool.close(await last);
  expect(files.mostOpen).toBe(1);
  const again = await pool.open(path, constants.O_RDONLY);
  await expect(pool.open(path, constants.O_RDONLY)).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  await pool.close(again);

  files.before = failing("open", /$/, "EMFILE", Number.POSITIVE_INFINITY);
  await expect(pool.open(path, constants.O_RDONLY)).rejects.toThrow(/too many are open.*ulimit -n/);
  files.before = failing("open", /$/, "EIO");
  await expect(pool.open(path, constants.O_RDONLY)).rejects.toMatchObject({ code: "EIO" });
  // Neither failure has kept the one place.
  await pool.close(await pool.open(path, constants.O_RDONLY));
  expect(files.openPaths).toEqual([]);
});
