import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openDatabase } from "@store/database";
import { openLog } from "@store/events";
import { openRegistry } from "@store/registry";
import type { CopySide } from "@store/registry/instance-copy";
import { openLocalStorage } from "@store/storage-local";
import { account, proving } from "@store/testing/prove";
import { createTestDatabase } from "@store/testing/postgres";
import { describe, expect, test } from "vitest";

import { lostCopies, publishMany, rowsApart } from "./copied.ts";
import { dialects, type Dialect } from "./instance.ts";

const packages = proving ? 100_000 : 1_000;
/** The killings are the proof; only what is copied between them is less when it is not run whole. */
const killings = 10;
/** Long enough to be in the middle of anything, and too short to come to the end. */
const longestLifeMs = proving ? 300 : 8;
const program = fileURLToPath(new URL("./programs/copy-instance.ts", import.meta.url));

interface DiskPlace extends AsyncDisposable {
  readonly url: string;
  readonly root: string;
  /** What is there now, on connections of its own. */
  open(): Promise<CopySide & AsyncDisposable>;
}

async function diskPlace(dialect: Dialect): Promise<DiskPlace> {
  const folder = await mkdtemp(join(tmpdir(), "store-instance-copy-"));
  const schema = dialect === "postgres" ? await createTestDatabase() : undefined;
  const url = schema?.url ?? `sqlite:${join(folder, "store.db")}`;
  const root = join(folder, "objects");
  return {
    url,
    root,
    async open() {
      const database = await openDatabase(url);
      const backends = { primary: await openLocalStorage({ root }) };
      return { database, backends, [Symbol.asyncDispose]: () => database.close() };
    },
    async [Symbol.asyncDispose]() {
      await schema?.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Outcome {
  readonly events: number;
  readonly objects: number;
  readonly problems: number | undefined;
}

/** Copies in a process of its own, killed once it has copied so many objects, and a moment after. */
async function copyApart(from: DiskPlace, to: DiskPlace, killAt = Infinity): Promise<Outcome> {
  const args = [program, from.url, from.root, to.url, to.root];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let [events, objects, problems]: [number, number, number?] = [0, 0];
  let killed = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const [first = "", second] = line.split(" ");
    if (first === "done") problems = Number(second);
    else [events, objects] = [Number(first), Number(second)];
    if (objects < killAt || killed) continue;
    killed = true;
    void sleep(Math.random() * longestLifeMs).then(() => child.kill("SIGKILL"));
  }
  await closed;
  return { events, objects, problems };
}

/** Holds what a killed copy left to being what the source once was, with all of its objects. */
async function assertBeginning(from: DiskPlace, to: DiskPlace): Promise<number> {
  await using source = await from.open();
  await using target = await to.open();
  if ((await target.database.schemaVersion()) === 0) return 0;
  const [log, sourceLog] = [await openLog(target.database), await openLog(source.database)];
  const { tables, reader } = target.database;
  const [head] = await reader.select().from(tables.logHead);
  if (head === undefined) return 0;
  expect(await log.head()).toEqual(await sourceLog.headAt(head.size));
  expect(await lostCopies(target)).toEqual([]);
  return head.size;
}

describe.each(dialects)("a copy of an instance to %s that is killed ten times", (dialect) => {
  test("leaves a beginning with all its objects each time, and arrives whole", async () => {
    await using from = await diskPlace(dialect === "sqlite" ? "postgres" : "sqlite");
    await using to = await diskPlace(dialect);
    await using source = await from.open();
    const { primary } = source.backends;
    if (primary === undefined) throw new Error("The source has no backend.");
    const { database } = source;
    const registry = await openRegistry({ database, backends: { primary }, actor: "tester" });
    await publishMany(registry, packages);
    const [{ size }, objects] = [await registry.head(), packages - packages / 4];

    const sizes: number[] = [];
    let left = objects;
    for (let round = 0; round < killings; round += 1) {
      const share = left / (killings - round + 2);
      const outcome = await copyApart(from, to, 1 + Math.random() * share);
      expect(outcome.problems).toBe(undefined);
      left -= outcome.objects;
      sizes.push(await assertBeginning(from, to));
    }
    expect(sizes).toEqual(sizes.toSorted((one, other) => one - other));
    expect(sizes.at(-1)).toBeLessThan(size);

    const startedMs = performance.now();
    expect(await copyApart(from, to)).toMatchObject({ problems: 0 });
    const lastSeconds = Math.round((performance.now() - startedMs) / 1000);
    await using target = await to.open();
    expect(await rowsApart(database, target.database)).toEqual({});
    expect(await (await openLog(target.database)).verify()).toEqual(await registry.head());
    expect(await lostCopies(target)).toEqual([]);
    const staged = await Array.fromAsync(target.backends["primary"]?.listStaged() ?? []);
    expect(staged).toEqual([]);
    const copied = { packages, events: size, objects };
    account("instance copy", { dialect, ...copied, killings, kept: sizes.join(" "), lastSeconds });
    await registry.close();
  });
});
