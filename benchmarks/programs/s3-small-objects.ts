import { type ContentAddress, type DualHashing, loadDualHashing } from "@store/identity";
import { ingestStream, serveObject, type StorageBackend } from "@store/storage";

import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { concurrently, interleave } from "../lib/rounds.ts";
import { keyOf, S3Rig, s3RigNote } from "../lib/s3-rig.ts";

export const title = "objects of 4 KiB to and from S3, 64 at a time, against the SDK by itself";

const sizeBytes = 4096;
const width = 64;
const aim = { ratio: 0.9 } as const;

export async function run({ report, quick }: ProgramContext): Promise<void> {
  await using rig = await S3Rig.open();
  const hashing = await loadDualHashing();
  const { backend, bare } = rig;
  const count = quick ? 2_000 : 10_000;
  const perSecond = async (name: string, task: (index: number) => Promise<unknown>) =>
    count / (await rig.load.secondsOf(name, () => concurrently(count, width, task)));

  const put = (name: string, round: number, digest?: DualHashing) => {
    const objects = newObjects(count);
    return perSecond(name, async (index) => {
      const bytes = objects(index);
      digest?.digestBytes(bytes);
      await bare.put(`bare/${name}/${round}/${index}`, bytes);
    });
  };
  const addresses: ContentAddress[] = [];
  const rounds = { rounds: quick ? 3 : 7 };
  const writing = await interleave(
    {
      bare: (round) => put("PutObject", round),
      hashed: (round) => put("PutObject with digests", round, hashing),
      ours: () => {
        const objects = newObjects(count);
        return perSecond("ingest", async (index) => {
          addresses.push(await ingest(backend, objects(index)));
        });
      },
    },
    rounds,
  );

  const read = (index: number): ContentAddress => {
    const address = addresses[index % addresses.length];
    if (address === undefined) throw new Error("Nothing was written.");
    return address;
  };
  const reading = await interleave(
    {
      bare: () =>
        perSecond("GetObject", async (index) => {
          if ((await bare.get(keyOf(read(index)))) !== sizeBytes) throw new Error("Too short.");
        }),
      asked: () =>
        perSecond("HeadObject and GetObject", async (index) => {
          await bare.head(keyOf(read(index)));
          await bare.get(keyOf(read(index)));
        }),
      opened: () => perSecond("open", (index) => drain(backend.open(read(index)))),
      served: () =>
        perSecond("read, verified", async (index) => {
          const { body } = await serveObject(backend, read(index), { sizeBytes });
          await drain(body);
        }),
    },
    rounds,
  );

  const unit = "1/s";
  const puts = {
    "SDK's PutObject": writing.bare,
    "the same, with both digests": writing.hashed,
  };
  report.add({ name: "ingest 4 KiB", unit, ours: writing.ours, floors: puts, aim });
  const floors = { "SDK's GetObject": reading.bare };
  report.add({ name: "open 4 KiB at the backend", unit, ours: reading.opened, floors, aim });
  const asking = { ...floors, "SDK's HeadObject and GetObject": reading.asked };
  report.add({ name: "read 4 KiB, verified", unit, ours: reading.served, floors: asking, aim });
  report.note(s3RigNote);
  report.note(
    "Whoever serves an object asks for its size first, so that what is wrong with it has an answer of " +
      "its own: a read is two requests. An aim is held against the slowest floor.",
  );
  report.note("PutObject has If-None-Match and its SHA-256, as ours has.");
  report.note(rig.load.account());
}

/** Objects that nobody had before; each call fills one memory again. */
function newObjects(count: number): (index: number) => Uint8Array {
  const pattern = randomBytes(sizeBytes);
  const objects = Array.from({ length: count }, () => {
    const bytes = pattern.slice();
    makeNew(bytes);
    return bytes;
  });
  return (index) => objects[index] ?? pattern;
}

async function ingest(backend: StorageBackend, bytes: Uint8Array): Promise<ContentAddress> {
  const { address, receipt } = await ingestStream(backend, once(bytes), {
    lease: "benchmark",
    admit: async () => "write",
  });
  if (receipt?.existed !== false) throw new Error("The object was there already.");
  return address;
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  let received = 0;
  for await (const chunk of body) received += chunk.length;
  if (received !== sizeBytes) throw new Error(`There were ${received} bytes.`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
