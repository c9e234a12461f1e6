/**
 * Mounts a disk of four megabytes, fills it, and prints what the backend says. It runs where it
 * may mount, and nobody else sees the mount.
 *
 *     node fill-disk.ts <folder>
 */
import { execFileSync } from "node:child_process";
import { isStoreError } from "@store/identity";
import { openLocalStorage } from "@store/storage-local";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";

const [folder = ""] = process.argv.slice(2);
execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]);
const backend = await openLocalStorage({ root: folder });

async function put(sizeBytes: number, seed: number, sync = false): Promise<string> {
  const bytes = sampleBytes(sizeBytes, seed);
  const staged = await backend.stage({ lease: "test" });
  try {
    await staged.write(bytes);
    if (sync) await staged.sync();
    return (await staged.commit(await addressOf(bytes))).address;
  } catch (error) {
    await staged.abort();
    if (isStoreError(error)) return error.code;
    throw error;
  }
}

async function left(): Promise<{ staged: number; whole: number; objects: number }> {
  const objects = await gathered(backend.enumerate());
  const found = objects.map(async ({ address }) => {
    return (await addressOf(await joined(backend.open(address)))) === address;
  });
  const whole = (await Promise.all(found)).filter(Boolean).length;
  return {
    staged: (await gathered(backend.listStaged())).length,
    whole,
    objects: objects.length,
  };
}

const first = await put(2_500_000, 1);
const tooLarge = await put(2_500_000, 2);
const tooLargeSynced = await put(2_500_000, 3, true);
const many = await Promise.all(Array.from({ length: 600 }, (_, index) => put(4000, 100 + index)));
const small = many.filter((outcome) => outcome.startsWith("blake3:")).length;
const refusals = [...new Set(many.filter((outcome) => !outcome.startsWith("blake3:")))];
const whenFull = { health: await backend.health(), left: await left() };
for (const { address } of await gathered(backend.enumerate())) await backend.remove(address);
const afterwards = await put(2_500_000, 2);
await backend.close();
process.stdout.write(
  `${JSON.stringify({ first, tooLarge, tooLargeSynced, small, refusals, whenFull, afterwards })}\n`,
);
