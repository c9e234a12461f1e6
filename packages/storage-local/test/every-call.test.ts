import { isStoreError } from "@store/identity";
import type { StorageBackend } from "@store/storage";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { expect, onTestFinished, test } from "vitest";
import { openOn } from "../src/lib/backend.ts";
import { ObservedFileSystem, systemError } from "./lib/observed-file-system.ts";
import { assertSameBytes, newRoot, stagedIn } from "./lib/root-folder.ts";

const small = sampleBytes(5000);
const large = sampleBytes(1_100_000);
const twice = sampleBytes(700);

/** A life of a backend: every verb, small and large. Tells what was acknowledged. */
async function live(backend: StorageBackend, acknowledged: Set<Uint8Array>): Promise<void> {
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!isStoreError(error)) throw error;
    }
  };
  const commit = async (bytes: Uint8Array, synced: boolean) => {
    const staged = await backend.stage({ lease: "test" });
    try {
      await staged.write(bytes.subarray(0, 1000));
      if (synced) await staged.sync();
      await staged.write(bytes.subarray(1000));
      await staged.commit(await addressOf(bytes));
      acknowledged.add(bytes);
    } finally {
      await attempt(async () => staged.abort());
    }
  };
  await attempt(async () => commit(small, false));
  await attempt(async () => commit(large, true));
  await attempt(async () => commit(small, false));
  await attempt(async () => commit(twice, false));
  await attempt(async () => joined(backend.open(await addressOf(large))));
  await attempt(async () => {
    await backend.remove(await addressOf(twice));
    expect(await backend.stat(await addressOf(twice))).toBeUndefined();
  });
  acknowledged.delete(twice);
  await attempt(async () => gathered(backend.enumerate()));
  await attempt(async () => {
    const upload = await backend.stage({ lease: "upload" });
    await upload.write(twice);
    await upload.sync();
    const resumed = await backend.resume(upload.id);
    expect(resumed.sizeBytes).toBe(twice.length);
    await backend.discardStaged(upload.id);
  });
  await backend.health();
}

/** Everything that was acknowledged is there and whole; what is there is whole; and it goes on. */
async function check(backend: StorageBackend, acknowledged: Set<Uint8Array>): Promise<void> {
  for (const bytes of acknowledged) {
    assertSameBytes(await joined(backend.open(await addressOf(bytes))), bytes);
  }
  for (const { address } of await gathered(backend.enumerate())) {
    expect(await addressOf(await joined(backend.open(address)))).toBe(address);
  }
  for (const id of await stagedIn(backend)) await backend.discardStaged(id);
  expect(await stagedIn(backend)).toEqual([]);
  const again = new Set<Uint8Array>();
  await live(backend, again);
  expect(again).toEqual(new Set([small, large]));
  expect(await stagedIn(backend)).toEqual([]);
}

test("whichever call fails, nothing acknowledged is lost and nothing half is seen", async () => {
  const root = await newRoot(onTestFinished);
  const rehearsal = new ObservedFileSystem();
  const backend = await openOn(rehearsal, { root: `${root}-rehearsal` });
  rehearsal.calls = [];
  await live(backend, new Set());
  await backend.close();
  const total = rehearsal.calls.length;
  expect(total).toBeGreaterThan(80);

  const attempt = async (broken: number) => {
    const files = new ObservedFileSystem();
    const victim = await openOn(files, { root: `${root}-${broken}` });
    let count = 0;
    files.before = () => {
      if (count++ === broken) throw systemError("EIO");
    };
    const acknowledged = new Set<Uint8Array>();
    await live(victim, acknowledged);
    files.before = () => {};
    await check(victim, acknowledged);
    await victim.close();
    expect(files.openPaths, `after call ${broken}`).toEqual([]);
  };
  for (let broken = 0; broken < total; broken += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, index) => attempt(broken + index)));
  }
});

test("whichever call fails while a root is made, it can be made after", async () => {
  const root = await newRoot(onTestFinished);
  const rehearsal = new ObservedFileSystem();
  await (await openOn(rehearsal, { root: `${root}-rehearsal` })).close();
  for (let broken = 0; broken < rehearsal.calls.length; broken++) {
    const files = new ObservedFileSystem();
    let count = 0;
    files.before = () => {
      if (count++ === broken) throw systemError("EIO");
    };
    const victim = await openOn(files, { root: `${root}-${broken}` }).catch((error: unknown) => {
      expect(isStoreError(error, "storage_unavailable")).toBe(true);
    });
    await victim?.close();
    files.before = () => {};
    const backend = await openOn(files, { root: `${root}-${broken}` });
    await check(backend, new Set());
    await backend.close();
    expect(files.openPaths).toEqual([]);
  }
});
