import { join } from "node:path";

import { openRegistry, type Registry } from "@store/registry";
import type { StorageBackend } from "@store/storage";
import { openLocalStorage } from "@store/storage-local";
import { createMemoryBackend } from "@store/storage/memory";

import { openBareCommits } from "../lib/bare-commits.ts";
import { Databases, type Dialect, dialectNames } from "../lib/databases.ts";
import { DurableFiles } from "../lib/durable-file.ts";
import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { concurrently, interleave, secondsOf } from "../lib/rounds.ts";

export const title = "packages of one file of 4 KiB (create, ingest, finalize), 64 at a time";

const sizeBytes = 4096;
const width = 64;

export async function run(context: ProgramContext): Promise<void> {
  await using databases = new Databases(context.scratch);
  const files = new DurableFiles(join(context.scratch, "bare"));
  await measure("sqlite", databases, files, context);
  await measure("postgres", databases, files, context);
  context.report.note(
    "A package takes four durable commands of its own: creating it, leasing the object's address, " +
      "recording the file and finalizing. The bare files are written, synced, renamed and their " +
      "folder synced; a bare commit inserts one row.",
  );
}

async function measure(
  dialect: Dialect,
  databases: Databases,
  files: DurableFiles,
  { report, scratch, quick }: ProgramContext,
): Promise<void> {
  const local = await openLocalStorage({ root: join(scratch, `objects-${dialect}`) });
  const onDisk = await open(dialect, databases, "on_disk", local);
  const inMemory = await open(dialect, databases, "in_memory", createMemoryBackend());
  const one = await openBareCommits(dialect, databases, 1);
  // SQLite has one writer, whoever asks.
  const many = dialect === "postgres" ? await openBareCommits(dialect, databases, width) : one;

  const perSecond = async (count: number, work: () => Promise<unknown>) =>
    count / (await secondsOf(work));
  const count = (quick ? 320 : 3_200) / (dialect === "sqlite" ? 1 : 2);
  const publishing = (registry: Registry) => (round: number) =>
    perSecond(count, () =>
      concurrently(count, width, (index) => publish(registry, index, `1.${round}.${index}`)),
    );
  const figures = await interleave(
    {
      files: () =>
        perSecond(count, () => concurrently(count, width, () => files.create(content()))),
      onDisk: publishing(onDisk),
      one: () => perSecond(count, () => one.commit(count)),
      inMemory: publishing(inMemory),
      many: () => perSecond(count, () => many.commit(count)),
    },
    { rounds: quick ? 3 : 7 },
  );
  for (const registry of [onDisk, inMemory]) await registry.close();
  for (const commits of new Set([one, many])) await commits.close();

  const name = dialectNames[dialect];
  const commits = {
    "bare commits, one after the other": figures.one,
    ...(dialect === "postgres" ? { "bare commits, 64 at a time": figures.many } : {}),
  };
  const aim = dialect === "sqlite" ? { aim: { atLeast: 2_000 } } : {};
  const ours = {
    name: `${name}, objects on local disk`,
    unit: "1/s",
    ours: figures.onDisk,
  } as const;
  report.add({ ...ours, floors: { "bare durable files": figures.files, ...commits }, ...aim });
  report.add({
    name: `${name}, objects in memory`,
    unit: "1/s",
    ours: figures.inMemory,
    floors: commits,
  });
}

async function open(
  dialect: Dialect,
  databases: Databases,
  name: string,
  primary: StorageBackend,
): Promise<Registry> {
  const database = await databases.url(dialect, name);
  return openRegistry({ database, backends: { primary }, actor: "benchmark" });
}

async function publish(registry: Registry, index: number, version: string): Promise<void> {
  const name = `package-${index % 97}`;
  const { id } = await registry.createPackage({ namespace: "acme", name, version });
  await registry.ingestFile(id, "data.bin", once(content()));
  await registry.finalizePackage(id);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const pattern = randomBytes(sizeBytes);

/** Bytes that no package had before. */
function content(): Uint8Array {
  const bytes = pattern.slice();
  makeNew(bytes);
  return bytes;
}
