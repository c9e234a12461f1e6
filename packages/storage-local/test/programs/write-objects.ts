/**
 * Writes objects, eight at a time, and prints the address of each once it is committed, and the
 * id, size and content of uploads once they are synced. Ends after `count` objects, or never.
 *
 *     node write-objects.ts <root> <seed> <count>
 */
import { writeSync } from "node:fs";
import { openLocalStorage } from "@store/storage-local";
import { addressOf, sampleBytes } from "@store/storage/conformance";

const [root = "", seedText = "", countText = ""] = process.argv.slice(2);
const seed = Number(seedText);
const count = countText === "" ? Number.POSITIVE_INFINITY : Number(countText);
const sizes = [0, 1, 4096, 70_000, 1_048_576, 1_048_577, 2_500_000];

/** Synchronous, so that what was printed is in the pipe when the process is killed. */
function print(value: unknown): void {
  writeSync(1, `${JSON.stringify(value)}\n`);
}

const backend = await openLocalStorage({ root });
let next = 0;

async function writeOne(): Promise<void> {
  const number = next++;
  const contentSeed = seed + number;
  const sizeBytes = sizes[number % sizes.length] ?? 0;
  const bytes = sampleBytes(sizeBytes, contentSeed);
  const staged = await backend.stage({ lease: `writer-${seed}` });
  const half = Math.floor(sizeBytes / 2);
  await staged.write(bytes.subarray(0, half));
  if (number % 3 === 0) {
    const durableBytes = await staged.sync();
    print({ synced: staged.id, durableBytes, sizeBytes, contentSeed });
  }
  await staged.write(bytes.subarray(half));
  const address = await addressOf(bytes);
  const { existed } = await staged.commit(address);
  print({ committed: address, existed });
}

async function work(): Promise<void> {
  while (next < count) await writeOne();
}

await Promise.all(Array.from({ length: 8 }, work));
await backend.close();
