import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { ContentAddress } from "@store/identity";
import type { ObjectWorkProgress, Registry } from "@store/registry";
import { verifyObject } from "@store/storage";
import { account, proving, rounds } from "@store/testing/prove";
import { createTestDatabase } from "@store/testing/postgres";
import { startS3Double } from "@store/testing/s3-double";
import { describe, expect, test, vi } from "vitest";

import { addressesAt, differences, finish, placesOf, store, textsOf } from "./copies.ts";
import { collect, dialects } from "./instance.ts";
import { openLocalCopies, useBucket, type LocalCopies } from "./local-copies.ts";

const killings = rounds(50);
const program = fileURLToPath(new URL("./programs/walk-copies.ts", import.meta.url));
const longestLifeMs = 200;

/** What the processes are doing in turn: filling a backend, and emptying another. */
const works = [
  { primary: "first", work: { replicate: { to: "second" } } },
  { primary: "first", work: { evacuate: { from: "second", to: "third" } } },
  { primary: "third", work: { evacuate: { from: "first" } } },
  { primary: "third", work: { evacuate: { from: "second", to: "first" } } },
  { primary: "second", work: { evacuate: { from: "third" } } },
] as const;

/** With few objects in hand at once, so that a life ends before the work does. */
function slowed(work: object): object {
  return Object.fromEntries(
    Object.entries(work).map(([name, options]) => [name, { ...options, concurrency: 2 }]),
  );
}

/** Lets a process work for a random while once it has begun, and kills it. */
async function workAndKill(
  database: string,
  folder: string,
  { primary, work }: (typeof works)[number],
): Promise<{ readonly hasEnded: boolean; readonly hasResumed: boolean }> {
  const args = [program, database, folder, primary, JSON.stringify(slowed(work))];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout });
  const seen: string[] = [];
  lines.on("line", (line) => seen.push(line));
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), { timeout: 20_000, interval: 5 });
  await sleep(Math.random() * longestLifeMs);
  child.kill("SIGKILL");
  await ended;
  return {
    hasEnded: seen.some((line) => line.startsWith("done")),
    hasResumed: seen.some((line) => line.endsWith("resumed")),
  };
}

/** Each object stands whole at some backend, and is read right through the registry. */
async function assertNothingLost(
  { registry, backends }: LocalCopies,
  contents: ReadonlyMap<ContentAddress, Buffer>,
): Promise<void> {
  for (const [address, content] of contents) {
    const outcomes = await Promise.all(
      Object.values(backends).map((backend) => verifyObject(backend, address)),
    );
    expect(outcomes.map(({ status }) => status)).toContain("ok");
    expect(outcomes.map(({ status }) => status)).not.toContain("corrupt");
    const { body } = await registry.openObject(address);
    expect((await collect(body)).equals(content)).toBe(true);
  }
}

/** Goes on with a work until it leaves no problem: what the killed had in hand is free in a second. */
async function complete(walk: () => AsyncIterable<ObjectWorkProgress>): Promise<void> {
  await vi.waitFor(
    async () => expect(await finish(walk())).toMatchObject({ done: true, problemCount: 0 }),
    { timeout: 20_000, interval: 200 },
  );
}

const all = dialects.flatMap((dialect) =>
  (["disks", "a bucket"] as const).map((place) => ({ dialect, place })),
);
/** Each database, and each kind of place; everything when proving. */
const cases = all.filter(
  ({ dialect, place }) => proving || (dialect === "postgres") === (place === "a bucket"),
);

describe.each(cases)(
  "a process that is killed while it copies and removes, on $dialect and $place,",
  ({ dialect, place }) => {
    test("loses no object, and the next goes on with its work", async () => {
      const folder = await mkdtemp(join(tmpdir(), "store-copies-"));
      const double = place === "disks" ? undefined : await startS3Double();
      if (double !== undefined) await useBucket(folder, double);
      const postgres = dialect === "postgres" ? await createTestDatabase() : undefined;
      const database = postgres?.url ?? `sqlite:${join(folder, "store.db")}`;
      const living = await openLocalCopies(database, folder, "first");
      const { registry, backends } = living;
      const contents = await fill(registry, place);
      let resumed = 0;
      let ended = 0;
      for (let round = 0; round < killings; round += 1) {
        // Several rounds are of the same work, where there are many, so that one goes on with it.
        const work = works[Math.floor((round * works.length) / killings)];
        if (work === undefined) break;
        const { hasEnded, hasResumed } = await workAndKill(database, folder, work);
        if (hasEnded) ended += 1;
        if (hasResumed) resumed += 1;
        await assertNothingLost(living, contents);
      }
      // Whatever was left in the middle is brought to its end.
      for (const { primary, work } of works) {
        const other = await openLocalCopies(database, folder, primary);
        await complete(() =>
          "replicate" in work
            ? other.registry.replicateObjects(work.replicate)
            : other.registry.evacuateObjects(work.evacuate),
        );
        await assertNothingLost(living, contents);
        await other.close();
      }
      // What was committed and not recorded may stand elsewhere too: nothing refers to it there.
      for (const address of contents.keys()) {
        expect(await placesOf(registry, address)).toEqual(["second ok"]);
      }
      expect(await addressesAt(backends.second)).toEqual([...contents.keys()].toSorted());
      expect(await finish(registry.verifyObjects())).toMatchObject({
        objects: contents.size,
        problemCount: 0,
      });
      await registry.verifyLog();
      expect(await differences(registry)).toEqual([]);
      await vi.waitFor(
        async () => {
          await registry.sweep();
          const staged = Object.values(backends).map((each) => Array.fromAsync(each.listStaged()));
          expect((await Promise.all(staged)).flat()).toEqual([]);
        },
        { timeout: 20_000, interval: 200 },
      );
      expect((await double?.counts())?.unfinishedUploads ?? 0).toBe(0);
      account("copies", { dialect, place, killings, resumed, ended, objects: contents.size });
      await living.close();
      await double?.close();
      await postgres?.drop();
      await rm(folder, { recursive: true, force: true });
    });
  },
);

async function fill(
  registry: Registry,
  place: (typeof all)[number]["place"],
): Promise<Map<ContentAddress, Buffer>> {
  const large = [1, 2].map((byte) => new Uint8Array(3_000_000).fill(byte));
  // It is put in parts.
  if (place === "a bucket") large.push(new Uint8Array(17_000_000).fill(3));
  const all = [...textsOf("a", 80), ...large];
  const addresses = await store(registry, "1.0.0", all);
  return new Map(addresses.map((address, index) => [address, Buffer.from(all[index] ?? "")]));
}
