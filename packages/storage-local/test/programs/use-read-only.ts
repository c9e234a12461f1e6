/**
 * Gives up root, if it has it, and uses a storage root that it may read but not write. Prints
 * what each verb says.
 *
 *     node use-read-only.ts <root>
 */
import { digestBytes, isStoreError } from "@store/identity";
import { openLocalStorage } from "@store/storage-local";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";

const NOBODY = 65_534;
const [root = ""] = process.argv.slice(2);
const held = sampleBytes(1000);
const other = sampleBytes(1001);
// The hash engine is loaded while every module can still be read.
await digestBytes(held);
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}

async function outcome(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
}

const backend = await openLocalStorage({ root });
const address = await addressOf(held);

async function put(bytes: Uint8Array, sync: boolean): Promise<unknown> {
  const staged = await backend.stage({ lease: "test" });
  try {
    await staged.write(bytes);
    if (sync) await staged.sync();
    const { existed } = await staged.commit(await addressOf(bytes));
    return { existed };
  } finally {
    await staged.abort();
  }
}

const result = {
  user: process.getuid?.(),
  read: await outcome(async () => (await joined(backend.open(address))).length),
  putHeld: await outcome(async () => put(held, false)),
  put: await outcome(async () => put(other, false)),
  putSynced: await outcome(async () => put(other, true)),
  putLarge: await outcome(async () => put(sampleBytes(2_500_000), false)),
  remove: await outcome(async () => backend.remove(address)),
  health: await backend.health(),
  newRoot: await outcome(async () => openLocalStorage({ root: `${root}/inside/new` })),
  staged: await gathered(backend.listStaged()),
  objects: (await gathered(backend.enumerate())).length,
};
await backend.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
