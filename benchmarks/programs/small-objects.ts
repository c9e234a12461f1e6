import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { loadDualHashing } from "@store/identity";
import { ingestStream, type StorageBackend } from "@store/storage";
import { openLocalStorage } from "@store/storage-local";

import { DurableFiles, makeShards } from "../lib/durable-file.ts";
import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { concurrently, interleave, secondsOf } from "../lib/rounds.ts";

export const title = "objects of 4 KiB through the data plane to local disk, 64 at a time";

const sizeBytes = 4096;
const width = 64;

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  const count = quick ? 3_000 : 15_000;
  const hashing = await loadDualHashing();
  const inFewFolders = (bytes: Uint8Array) => hashing.digestBytes(bytes).primary.hex[2] === "0";

  const bare = new DurableFiles(join(scratch, "bare"));
  const used = await openWithFolders(join(scratch, "used"));
  const unseen = await openWithFolders(join(scratch, "unseen"));
  const fresh = await openLocalStorage({ root: join(scratch, "fresh") });
  await concurrentlyEach(objects(15_000, inFewFolders), (bytes) => ingest(used, bytes));

  const perSecond = async (
    task: (bytes: Uint8Array) => Promise<unknown>,
    accept?: (bytes: Uint8Array) => boolean,
  ) => {
    const bytes = objects(count, accept);
    return count / (await secondsOf(() => concurrentlyEach(bytes, task)));
  };
  const figures = await interleave(
    {
      bare: () => perSecond((bytes) => bare.create(bytes)),
      used: () => perSecond((bytes) => ingest(used, bytes), inFewFolders),
      unseen: () => perSecond((bytes) => ingest(unseen, bytes)),
      fresh: () => perSecond((bytes) => ingest(fresh, bytes)),
    },
    { rounds: quick ? 3 : 7 },
  );
  for (const backend of [used, unseen, fresh]) await backend.close();

  const floors = { "bare create, fsync, rename, fsync of the folder": figures.bare };
  const add = (name: string, ours: readonly number[]) =>
    report.add({ name: `ingest 4 KiB, ${name}`, unit: "1/s", ours, floors, aim: { ratio: 0.8 } });
  add("folders used before", figures.used);
  add("folders new to the process", figures.unseen);
  add("folders not there yet", figures.fresh);
  report.note(
    "An object lies in one of 65,536 folders. The bare files find theirs made and durable. Of the " +
      "first figure's objects all fall into 4,096 folders that this process has synced before, as " +
      "in a server after some time. A process that has just begun makes sure once that a folder " +
      "itself is durable (second figure); an empty store has to make nearly every object's folder " +
      "(third).",
  );
}

async function openWithFolders(root: string): Promise<StorageBackend> {
  const backend = await openLocalStorage({ root });
  mkdirSync(join(root, "blake3"), { recursive: true, mode: 0o700 });
  makeShards(join(root, "blake3"));
  return backend;
}

/** New objects, all different from one another and from those of every call before. */
function objects(count: number, accept: (bytes: Uint8Array) => boolean = () => true): Uint8Array[] {
  const pattern = randomBytes(sizeBytes);
  return Array.from({ length: count }, () => {
    const bytes = pattern.slice();
    do makeNew(bytes);
    while (!accept(bytes));
    return bytes;
  });
}

async function concurrentlyEach(
  items: readonly Uint8Array[],
  task: (bytes: Uint8Array) => Promise<unknown>,
): Promise<void> {
  await concurrently(items.length, width, async (index) => {
    const bytes = items[index];
    if (bytes !== undefined) await task(bytes);
  });
}

async function ingest(backend: StorageBackend, bytes: Uint8Array): Promise<void> {
  const { receipt } = await ingestStream(backend, once(bytes), {
    lease: "benchmark",
    admit: () => Promise.resolve("write" as const),
  });
  if (receipt?.existed !== false) throw new Error("The object was there already.");
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
