import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isStoreError, parseContentAddress, type ContentAddress } from "@store/identity";
import type { Registry } from "@store/registry";
import { verifyObject, type StorageBackend } from "@store/storage";
import { openLocalStorage } from "@store/storage-local";
import { openS3Storage } from "@store/storage-s3";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { account, proving, rounds } from "@store/testing/prove";
import { startS3Double } from "@store/testing/s3-double";
import { expect, test } from "vitest";

import { bytesOf, dialects, openTestInstance, type TestInstance } from "./instance.ts";
import { copyStates, putBytes, withOverrides } from "./several-backends.ts";

const writes = rounds(250);
const sizes = [1, 700, 65_537, 1_048_576, 1_048_577, 2_600_000];

/** Numbers from 0 to below 1 that a seed decides. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** A file as it was acknowledged. */
interface Written {
  readonly packageId: string;
  readonly path: string;
  readonly address: ContentAddress;
  readonly bytes: Buffer;
}

interface Chaos {
  readonly instance: TestInstance;
  readonly registries: readonly Registry[];
  /** The place behind the primary backend. */
  readonly primary: StorageBackend;
  readonly random: () => number;
  readonly written: Written[];
  readonly damaged: Set<ContentAddress>;
  readonly outcomes: Map<string, number>;
  isOver: boolean;
}

function one<T>({ random }: Chaos, of: readonly T[]): T | undefined {
  return of[Math.floor(random() * of.length)];
}

function count({ outcomes }: Chaos, outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** A primary backend that fails now and then, before a read or in the middle of it. */
function unreliable(place: StorageBackend, random: () => number): StorageBackend {
  const failing = (when: number): StorageBackend =>
    withFaults(place, [{ verb: "open", when, effect: "fail", call: "every" }]);
  const choices = [failing(0), failing(1), withFaults(place, [])];
  return withOverrides(place, {
    open: (address, options) => {
      const chosen = choices[Math.min(2, Math.floor(random() * 20))] ?? place;
      return chosen.open(address, options);
    },
  });
}

/** Writes new files, and now and then the bytes of a file that is there. */
async function write(chaos: Chaos): Promise<void> {
  const { random, registries, written } = chaos;
  for (let round = 0; round < writes; round += 1) {
    const registry = one(chaos, registries) ?? registries[0];
    if (registry === undefined) return;
    const before = random() < 0.3 ? one(chaos, written)?.bytes : undefined;
    const bytes = before ?? Buffer.alloc(one(chaos, sizes) ?? 1, `${round} ${random()}`);
    try {
      const name = `p${round}`;
      const pkg = await registry.createPackage({ namespace: "acme", name, version: "1" });
      const { address } = await registry.ingestFile(pkg.id, "f", bytesOf(bytes));
      await registry.finalizePackage(pkg.id);
      written.push({ packageId: pkg.id, path: "f", address, bytes });
      count(chaos, "written");
    } catch (error) {
      if (!isStoreError(error)) throw error;
      count(chaos, `write ${error.code}`);
    }
  }
}

/** Loses, shortens and changes what the primary has. */
async function vandalize(chaos: Chaos): Promise<void> {
  const { damaged, primary, random } = chaos;
  while (!chaos.isOver) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const target = one(chaos, chaos.written);
    if (target === undefined || random() < 0.5) continue;
    const { address, bytes } = target;
    damaged.add(address);
    const choice = Math.floor(random() * 3);
    if (choice === 0) await primary.remove(address);
    else await forge(primary, address, choice === 1 ? bytes.subarray(1) : flipped(bytes, random()));
  }
}

function flipped(bytes: Buffer, where: number): Buffer {
  const other = Buffer.from(bytes);
  const at = Math.floor(where * other.length);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

async function forge(place: StorageBackend, address: ContentAddress, bytes: Buffer): Promise<void> {
  try {
    await putBytes(place, address, bytes);
  } catch (error) {
    // Somebody was mending it at that moment.
    if (!isStoreError(error, "size_mismatch")) throw error;
  }
}

/** Reads files whole and in part, and holds what comes against what was written. */
async function read(chaos: Chaos): Promise<void> {
  const { random, registries, written } = chaos;
  while (!chaos.isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    const file = one(chaos, written);
    const registry = one(chaos, registries);
    if (file === undefined || registry === undefined) continue;
    const { length } = file.bytes;
    const start = random() < 0.3 ? Math.floor(random() * length) : 0;
    const range = start === 0 ? undefined : { start, end: start + Math.ceil((length - start) / 2) };
    try {
      const reading = range === undefined ? {} : { range };
      const opened = await registry.getFile(file.packageId, file.path, reading);
      const got = Buffer.concat(await Array.fromAsync(opened.body));
      expect(opened.verified).toBe(range === undefined ? "whole" : "none");
      if (range === undefined) expect(got.equals(file.bytes)).toBe(true);
      else expect(got).toHaveLength(range.end - range.start);
      count(chaos, range === undefined ? "read whole" : "read in part");
    } catch (error) {
      if (!isStoreError(error)) throw error;
      expect(["object_corrupt", "object_not_found", "storage_unavailable"]).toContain(error.code);
      count(chaos, `read ${error.code}`);
    }
  }
}

/** Keeps the mirror up, as servers do in the background. */
async function tend(chaos: Chaos): Promise<void> {
  while (!chaos.isOver) {
    await chaos.registries[0]?.tendCopies();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Until the end of writing, whatever the others meet. */
async function rage(chaos: Chaos): Promise<void> {
  const others = [vandalize(chaos), tend(chaos), read(chaos), read(chaos), read(chaos)];
  try {
    await Promise.race([write(chaos), Promise.all(others)]);
  } finally {
    chaos.isOver = true;
  }
  await Promise.all(others);
}

interface Places extends AsyncDisposable {
  readonly primary: StorageBackend;
  readonly mirror: StorageBackend;
}

const kinds = ["memory", "local", "s3"] as const;

async function openPlaces(kind: (typeof kinds)[number]): Promise<Places> {
  const stack = new AsyncDisposableStack();
  const open = await placesOf(kind, stack);
  const [primary, mirror] = [await open("primary"), await open("mirror")];
  stack.defer(() => primary.close());
  stack.defer(() => mirror.close());
  return { primary, mirror, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function placesOf(kind: (typeof kinds)[number], stack: AsyncDisposableStack) {
  if (kind === "memory") return async () => createMemoryBackend();
  if (kind === "local") {
    const folder = await mkdtemp(join(tmpdir(), "store-copies-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    return (name: string) => openLocalStorage({ root: join(folder, name) });
  }
  const double = await startS3Double();
  stack.defer(() => double.close());
  const { endpoint, region, bucket, credentials } = double;
  const options = { endpoint, region, bucket, credentials, pathStyle: true };
  return (name: string) => openS3Storage({ ...options, prefix: name });
}

const all = dialects.flatMap((dialect) => kinds.map((kind) => ({ dialect, kind })));
/** What is new of S3 is the same on either database. */
const cases = all.filter(({ dialect, kind }) => proving || dialect === "sqlite" || kind !== "s3");

test.each(cases)(
  "a mirror outlives its primary's losses, on $dialect and $kind storage",
  async ({ dialect, kind }) => {
    await using places = await openPlaces(kind);
    const { primary, mirror } = places;
    const random = dice(7);
    const options = {
      clock: Date.now,
      inFile: true,
      backends: { primary: unreliable(primary, random), mirror },
      placement: { mirrors: ["mirror"] },
    };
    await using instance = await openTestInstance(dialect, options);
    const registries = [instance.registry, await instance.again(), await instance.apart()];
    const chaos: Chaos = {
      instance,
      registries,
      primary,
      random,
      written: [],
      damaged: new Set(),
      outcomes: new Map(),
      isOver: false,
    };
    await rage(chaos);
    // What was found until now is recorded by then, and what is true is told by places that answer.
    for (const registry of registries) await registry.close();
    const backends = { primary, mirror };
    await assertTold(chaos, await instance.again({ backends }), backends);
    expect(chaos.outcomes.get("read whole")).toBeGreaterThan(0);
    account(`copies on ${dialect} and ${kind} storage`, Object.fromEntries(chaos.outcomes));
  },
  120_000,
);

/** Each copy's events say how it changed, each change once; after a look at all, they say how it is. */
async function assertTold(
  { damaged, instance: { database }, written }: Chaos,
  registry: Registry,
  backends: Readonly<Record<string, StorageBackend>>,
): Promise<void> {
  for (const { packageId } of written) {
    await registry.verifyPackage(packageId);
  }
  await registry.tendCopies();
  const states = await copyStates(registry);
  for (const [copy, each] of states) {
    for (const [at, state] of each.entries()) expect(state, copy).not.toBe(each[at - 1] ?? "ok");
    const [backend, address] = copy.split(" ");
    expect(backend).toBe("primary");
    expect(damaged).toContain(address);
  }
  expect(states.size).toBeGreaterThan(0);
  expect(await mistaken(database, backends)).toEqual([]);
  expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
}

/** The copies of which the views say something else than what is true of their bytes. */
async function mistaken(
  { reader, tables }: TestInstance["database"],
  backends: Readonly<Record<string, StorageBackend>>,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { backend, contentAddress, status } of await reader
    .select()
    .from(tables.storageLocations)) {
    const place = backends[backend];
    if (place === undefined) throw new Error(`There is no backend ${backend}.`);
    const found = await verifyObject(place, parseContentAddress(contentAddress));
    if (found.status === status) continue;
    wrong.push(`${contentAddress} at ${backend} is ${found.status}, not ${status}`);
  }
  return wrong;
}
