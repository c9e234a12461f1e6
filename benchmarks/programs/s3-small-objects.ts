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
  const small = new SmallObjects(rig, await loadDualHashing(), quick ? 2_000 : 10_000);
  const rounds = { rounds: quick ? 3 : 7 };
  const writing = await interleave(
    {
      bare: (round) => small.put(round, "PutObject"),
      hashed: (round) => small.put(round, "PutObject with digests"),
      ours: () => small.ingest(),
    },
    rounds,
  );
  const reading = await interleave(
    {
      bare: () => small.get(),
      opened: () => small.open(),
      served: () => small.read(),
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
  report.add({ name: "read 4 KiB, verified", unit, ours: reading.served, floors, aim });
  report.note(s3RigNote);
  report.note(
    "A read whose object is known to be of up to 64 KiB is one request; a larger one asks for the " +
      "size first.",
  );
  report.note("PutObject has If-None-Match and its SHA-256, as ours has.");
  report.note(rig.load.account());
}

/** Ways to write and read as many objects, in objects a second. */
class SmallObjects {
  readonly #rig: S3Rig;
  readonly #hashing: DualHashing;
  readonly #count: number;
  readonly #addresses: ContentAddress[] = [];

  constructor(rig: S3Rig, hashing: DualHashing, count: number) {
    this.#rig = rig;
    this.#hashing = hashing;
    this.#count = count;
  }

  put(round: number, name: "PutObject" | "PutObject with digests"): Promise<number> {
    const objects = newObjects(this.#count);
    return this.#perSecond(name, async (index) => {
      const bytes = objects(index);
      if (name === "PutObject with digests") this.#hashing.digestBytes(bytes);
      await this.#rig.bare.put(`bare/${name}/${round}/${index}`, bytes);
    });
  }

  ingest(): Promise<number> {
    const objects = newObjects(this.#count);
    return this.#perSecond("ingest", async (index) => {
      this.#addresses.push(await ingest(this.#rig.backend, objects(index)));
    });
  }

  get(): Promise<number> {
    return this.#perSecond("GetObject", (index) => this.#rig.bare.get(this.#key(index)));
  }

  open(): Promise<number> {
    const { backend } = this.#rig;
    return this.#perSecond("open", (index) => drain(backend.open(this.#address(index))));
  }

  read(): Promise<number> {
    return this.#perSecond("read, verified", async (index) => {
      const served = await serveObject(this.#rig.backend, this.#address(index), { sizeBytes });
      await drain(served.body);
    });
  }

  async #perSecond(name: string, task: (index: number) => Promise<unknown>): Promise<number> {
    const work = () => concurrently(this.#count, width, task);
    return this.#count / (await this.#rig.load.secondsOf(name, work));
  }

  #key(index: number): string {
    return keyOf(this.#address(index));
  }

  #address(index: number): ContentAddress {
    const address = this.#addresses[index % this.#addresses.length];
    if (address === undefined) throw new Error("Nothing was written.");
    return address;
  }
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
