/**
 * Stages bytes, lets go of them once they are durable, and prints whether their holder was
 * forgotten, and what is resumed then. Run as a process of its own:
 *
 *     node forget-staged.ts <objects folder>
 */
import { setTimeout as sleep } from "node:timers/promises";
import v8 from "node:v8";
import vm from "node:vm";

import { openLocalStorage } from "@store/storage-local";

v8.setFlagsFromString("--expose-gc");
const collectGarbage: unknown = vm.runInNewContext("gc");

const backend = await openLocalStorage({ root: process.argv[2] ?? "" });

async function leave(): Promise<{ readonly id: string; readonly holder: WeakRef<object> }> {
  const staged = await backend.stage({ lease: "test" });
  await staged.write(new Uint8Array(70_000));
  await staged.sync();
  return { id: staged.id, holder: new WeakRef(staged) };
}

const { id, holder } = await leave();
for (let round = 0; round < 200 && holder.deref() !== undefined; round++) {
  // Whoever looks at it keeps it until the next turn.
  await sleep(5);
  if (typeof collectGarbage === "function") collectGarbage();
}
const { sizeBytes } = await backend.resume(id);
console.log(JSON.stringify({ isForgotten: holder.deref() === undefined, sizeBytes }));
await backend.discardStaged(id);
await backend.close();
