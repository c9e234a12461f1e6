/**
 * Pushes packages until it is killed, several at a time, and prints a line for each one that was
 * acknowledged. Run by the crash test as a process of its own:
 *
 *     node pusher.ts <database url> <objects folder> <name of this round> [<lease in ms>]
 */
import { writeSync } from "node:fs";

import { openRegistry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";

const [database = "", root = "", round = "", lease] = process.argv.slice(2);
const pushers = 4;

const primary = await openLocalStorage({ root });
const registry = await openRegistry({
  database,
  backends: { primary },
  actor: "pusher",
  ...(lease === undefined ? {} : { leaseMs: Number(lease) }),
});

/** A body that tells its package apart, small or of several slabs. */
async function* content(version: string, large: boolean): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`${round} ${version}\n`);
  if (!large) return;
  for (let chunk = 0; chunk < 12; chunk += 1) yield new Uint8Array(256 * 1024).fill(chunk);
}

async function push(version: string): Promise<void> {
  const pkg = await registry.createPackage({ namespace: "crash", name: round, version });
  await Promise.all([
    registry.ingestFile(pkg.id, "small", content(version, false)),
    registry.ingestFile(pkg.id, "large", content(version, true)),
    registry.ingestFile(pkg.id, "shared", content("shared", false)),
  ]);
  await registry.finalizePackage(pkg.id);
  // Written at once and whole, before anything else can happen to this process.
  writeSync(1, `${pkg.id}\n`);
}

writeSync(1, "ready\n");
await Promise.all(
  Array.from({ length: pushers }, async (_, pusher) => {
    for (let count = 0; ; count += 1) await push(`${pusher}.${count}.0`);
  }),
);
