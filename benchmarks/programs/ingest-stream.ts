import { open } from "node:fs/promises";
import { join } from "node:path";

import { loadDualHashing } from "@store/identity";
import { ingestStream } from "@store/storage";
import { openLocalStorage } from "@store/storage-local";

import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { interleave, secondsOf } from "../lib/rounds.ts";

export const title = "one large stream through the data plane to local disk";

const mebibyte = 1024 * 1024;
/** Streams that are ingested at the same time, for what a server takes from several clients. */
const atOnce = 4;
const poolBytes = 64 * mebibyte;

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  const sizeBytes = (quick ? 256 : 1024) * mebibyte;
  const pool = randomBytes(poolBytes);
  const backend = await openLocalStorage({ root: join(scratch, "objects") });
  const hashing = await loadDualHashing();
  const megabytesPerSecond = async (work: () => Promise<unknown>) => {
    makeNew(pool);
    return sizeBytes / 1e6 / (await secondsOf(work));
  };

  const ingestOne = async (source: AsyncIterable<Uint8Array>) => {
    const { receipt } = await ingestStream(backend, source, {
      lease: "benchmark",
      admit: () => Promise.resolve("write" as const),
    });
    if (receipt?.existed !== false) throw new Error("The stream was there already.");
  };
  const ingest = (chunkBytes: number) => () =>
    megabytesPerSecond(() => ingestOne(chunksOf(pool, sizeBytes, chunkBytes)));
  const parts = Array.from({ length: atOnce }, (_, index) => index);
  const partBytes = sizeBytes / atOnce;

  const figures = await interleave(
    {
      hash: () =>
        megabytesPerSecond(async () => {
          const hasher = hashing.createHasher();
          for await (const chunk of chunksOf(pool, sizeBytes, mebibyte)) hasher.update(chunk);
          hasher.digest();
        }),
      write: (round) =>
        megabytesPerSecond(() => writeAndSync(join(scratch, `floor-${round}`), pool, sizeBytes)),
      large: ingest(mebibyte),
      small: ingest(mebibyte / 16),
      writes: (round) =>
        megabytesPerSecond(() =>
          Promise.all(
            parts.map((part) =>
              writeAndSync(join(scratch, `floor-${round}-${part}`), pool, partBytes),
            ),
          ),
        ),
      atOnce: () =>
        megabytesPerSecond(() =>
          // Each begins elsewhere in the pool, so that no two objects are the same.
          Promise.all(
            parts.map((part) =>
              ingestOne(chunksOf(pool, partBytes, mebibyte / 16, part * mebibyte)),
            ),
          ),
        ),
    },
    { rounds: quick ? 3 : 5 },
  );
  await backend.close();

  const floors = { "dual hash alone": figures.hash, "write and fsync alone": figures.write };
  const aim = { ratio: 0.8 };
  const size = `${sizeBytes / mebibyte} MiB`;
  const unit = "MB/s";
  const { large, small } = figures;
  report.add({ name: `ingest ${size}, chunks of 1 MiB`, unit, ours: large, floors, aim });
  report.add({ name: `ingest ${size}, chunks of 64 KiB`, unit, ours: small, floors, aim });
  report.add({
    name: `ingest ${size} in ${atOnce} streams at once, chunks of 64 KiB`,
    unit,
    ours: figures.atOnce,
    floors: { "write and fsync alone, as many at once": figures.writes },
    aim,
  });
}

/** Views of the pool from `offset` on, again and again, until there were `sizeBytes`. */
async function* chunksOf(
  pool: Uint8Array,
  sizeBytes: number,
  chunkBytes: number,
  offset = 0,
): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < sizeBytes; sent += chunkBytes) {
    const start = (offset + sent) % pool.length;
    yield pool.subarray(start, start + chunkBytes);
  }
}

async function writeAndSync(path: string, pool: Uint8Array, sizeBytes: number): Promise<void> {
  const file = await open(path, "wx");
  try {
    for await (const chunk of chunksOf(pool, sizeBytes, mebibyte)) await file.write(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}
