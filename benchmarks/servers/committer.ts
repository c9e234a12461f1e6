// One of several servers that write to one PostgreSQL, for benchmarks: does what its parent asks
// for, as many times as it can in the time given, and tells how often it did.
import { openDatabase } from "@store/database";
import { openLog } from "@store/events";
import { openRegistry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";

import { BareCommands } from "../lib/bare-commands.ts";
import type { CommitterStart, Order, Outcome, Task } from "../lib/committers.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";

const [number = "", text = ""] = process.argv.slice(2);
const { registryUrl, logUrl, bareUrl, bareSchema } = JSON.parse(text) as CommitterStart;

let commits = 0;
const onCommit = (): void => void (commits += 1);
const database = await openDatabase(registryUrl, { onCommit });
const registry = await openRegistry({
  database,
  backends: { primary: createMemoryBackend() },
  actor: "benchmark",
});
const logDatabase = await openDatabase(logUrl, { onCommit });
const log = await openLog(logDatabase);
const bare = await BareCommands.open(bareUrl, bareSchema);

let made = 0;
const payload = new Uint8Array(256).fill(0x5a);
const pattern = randomBytes(4096);

async function createPackage(): Promise<string> {
  made += 1;
  const name = `package-${made % 97}`;
  const version = `1.${number}.${made}`;
  return (await registry.createPackage({ namespace: "acme", name, version })).id;
}

async function publish(): Promise<void> {
  const id = await createPackage();
  const bytes = pattern.slice();
  makeNew(bytes);
  new DataView(bytes.buffer).setUint32(8, Number(number));
  await registry.ingestFile(id, "data.bin", once(bytes));
  await registry.finalizePackage(id);
}

const tasks: Readonly<Record<Task, (callers: number) => Promise<unknown>>> = {
  command: createPackage,
  package: publish,
  event: () =>
    log.transact("benchmark", async (tx) =>
      tx.append({ type: "v1.package.file_added", subject: "acme/app@1.0.0", payload }),
    ),
  // One of them does for all callers what a shared commit does.
  bare: (callers) => bare.record(callers),
};

async function perform({ task, callers, milliseconds }: Order): Promise<Outcome> {
  const end = performance.now() + milliseconds;
  const before = commits;
  const start = performance.now();
  let done = 0;
  const isBare = task === "bare";
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      await tasks[task](callers);
      done += isBare ? callers : 1;
    }
  };
  await Promise.all(Array.from({ length: isBare ? 1 : callers }, caller));
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: done / seconds, commitsPerSecond: (commits - before) / seconds };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

process.on("message", (order: Order) => {
  void perform(order).then((outcome) => process.send?.(outcome));
});
process.once("disconnect", () => {
  void Promise.all([registry.close(), bare.close()])
    .then(() => Promise.all([database.close(), logDatabase.close()]))
    .finally(() => process.exit(0));
});
process.send?.("ready");
