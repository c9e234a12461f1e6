import {
  type ContentAddress,
  contentAddress,
  createHasher,
  type DualHashing,
  loadDualHashing,
} from "@store/identity";
import { ingestStream, serveObject } from "@store/storage";

import { poolStream } from "../lib/pool-stream.ts";
import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { interleave } from "../lib/rounds.ts";
import { keyOf, S3Rig, s3RigNote } from "../lib/s3-rig.ts";

export const title = "one large object to and from S3, against the SDK by itself";

const mebibyte = 1024 * 1024;
const aim = { ratio: 0.9 } as const;

export async function run({ report, quick }: ProgramContext): Promise<void> {
  await using rig = await S3Rig.open();
  const sizeBytes = (quick ? 128 : 1024) * mebibyte;
  const large = new LargeObject(rig, await loadDualHashing(), sizeBytes);
  const rounds = { rounds: quick ? 3 : 7 };
  const writing = await interleave(
    {
      bare: () => large.upload(),
      hashed: () => large.uploadHashed(),
      claimed: () => large.ingest("claimed"),
      unclaimed: () => large.ingest("not claimed"),
    },
    rounds,
  );
  const address = await large.keep();
  const reading = await interleave(
    {
      bare: () => large.get(address),
      hashed: () => large.getHashed(address),
      ours: () => large.read(address),
    },
    rounds,
  );

  const size = `${sizeBytes / mebibyte} MiB`;
  const unit = "MB/s";
  const floors = {
    "SDK's Upload, 16 MiB a part, 4 at once": writing.bare,
    "the same, with both digests": writing.hashed,
  };
  const { claimed, unclaimed } = writing;
  report.add({ name: `ingest ${size}, claimed`, unit, ours: claimed, floors, aim });
  report.add({ name: `ingest ${size}, not claimed`, unit, ours: unclaimed, floors, aim });
  report.add({
    name: `read ${size}, verified`,
    unit,
    ours: reading.ours,
    floors: { "SDK's GetObject": reading.bare, "the same, with BLAKE3": reading.hashed },
    aim,
  });
  report.note(s3RigNote);
  report.note(
    "What is claimed goes to its own key; what is not goes to a staging key first, and the store " +
      "copies it. Upload sends parts as they come, each with a CRC-32; ours too.",
  );
  report.note(rig.load.account());
}

/** Ways to write and read as many bytes, in megabytes a second. */
class LargeObject {
  readonly #rig: S3Rig;
  readonly #hashing: DualHashing;
  readonly #sizeBytes: number;
  readonly #pool = randomBytes(64 * mebibyte);

  constructor(rig: S3Rig, hashing: DualHashing, sizeBytes: number) {
    this.#rig = rig;
    this.#hashing = hashing;
    this.#sizeBytes = sizeBytes;
  }

  async upload(): Promise<number> {
    makeNew(this.#pool);
    const { bare } = this.#rig;
    const figure = await this.#timed("Upload", () => bare.upload("bare", this.#stream()));
    await bare.remove("bare");
    return figure;
  }

  async uploadHashed(): Promise<number> {
    makeNew(this.#pool);
    const { bare } = this.#rig;
    const figure = await this.#timed("Upload with digests", async () => {
      const hasher = this.#hashing.createHasher();
      await bare.upload("bare", passing(this.#stream(), hasher));
      hasher.digest();
    });
    await bare.remove("bare");
    return figure;
  }

  async ingest(how: "claimed" | "not claimed"): Promise<number> {
    makeNew(this.#pool);
    const hasher = this.#hashing.createHasher();
    for await (const chunk of this.#stream()) hasher.update(chunk);
    const address = contentAddress(hasher.digest().primary);
    const claim = how === "claimed" ? address : undefined;
    const figure = await this.#timed(`ingest, ${how}`, () => this.#ingest(claim));
    await this.#rig.backend.remove(address);
    return figure;
  }

  /** An object for the reads. */
  keep(): Promise<ContentAddress> {
    return this.#ingest();
  }

  get(address: ContentAddress): Promise<number> {
    return this.#timed("GetObject", async () =>
      this.#assertWhole(await this.#rig.bare.get(keyOf(address))),
    );
  }

  getHashed(address: ContentAddress): Promise<number> {
    return this.#timed("GetObject with BLAKE3", async () => {
      const hasher = await createHasher("blake3");
      const take = (chunk: Uint8Array) => hasher.update(chunk);
      this.#assertWhole(await this.#rig.bare.get(keyOf(address), take));
      hasher.digest();
    });
  }

  read(address: ContentAddress): Promise<number> {
    return this.#timed("read, verified", async () => {
      const { body } = await serveObject(this.#rig.backend, address, { reuseChunks: true });
      let sizeBytes = 0;
      for await (const chunk of body) sizeBytes += chunk.length;
      this.#assertWhole(sizeBytes);
    });
  }

  async #ingest(claim?: ContentAddress): Promise<ContentAddress> {
    const { address, receipt } = await ingestStream(this.#rig.backend, this.#stream(), {
      lease: "benchmark",
      admit: async () => "write",
      expect: { sizeBytes: this.#sizeBytes, ...(claim === undefined ? {} : { address: claim }) },
    });
    if (receipt?.existed !== false) throw new Error("The object was there already.");
    return address;
  }

  async #timed(name: string, work: () => Promise<unknown>): Promise<number> {
    return this.#sizeBytes / 1e6 / (await this.#rig.load.secondsOf(name, work));
  }

  #stream(): AsyncIterable<Uint8Array> {
    return poolStream(this.#pool, this.#sizeBytes, mebibyte);
  }

  #assertWhole(sizeBytes: number): void {
    if (sizeBytes !== this.#sizeBytes) throw new Error(`There were ${sizeBytes} bytes.`);
  }
}

async function* passing(
  source: AsyncIterable<Uint8Array>,
  hasher: { update(chunk: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hasher.update(chunk);
    yield chunk;
  }
}
