import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openRegistry, type Registry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";
import type { StorageBackend } from "@store/storage";
import { account, rounds } from "@store/testing/prove";
import { createTestDatabase } from "@store/testing/postgres";
import { describe, expect, test } from "vitest";

import { dialects } from "./instance.ts";

const killings = rounds(50);
const longestLifeMs = 600;
const afterEveryLease = 24 * 60 * 60 * 1000;
const script = fileURLToPath(new URL("./pusher.ts", import.meta.url));

/** Lets a process push until a random moment; gives the ids that it reported as finalized. */
async function pushAndKill(database: string, root: string, round: string): Promise<string[]> {
  const child = spawn(process.execPath, [script, database, root, round], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = text(child.stdout);
  await new Promise((resolve) => child.stdout.once("readable", resolve));
  await sleep(Math.random() * longestLifeMs);
  child.kill("SIGKILL");
  const lines = (await output).split("\n").slice(0, -1);
  return lines.filter((line) => line !== "ready");
}

async function finalizedIds(registry: Registry): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await registry.listPackages(
      { status: "finalized" },
      { limit: 1000, ...(cursor === undefined ? {} : { cursor }) },
    );
    ids.push(...page.items.map((pkg) => pkg.id));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return ids;
}

/** Holds an instance to what it must keep through a crash; gives what it has finalized. */
async function assertWhole(
  registry: Registry,
  reported: ReadonlySet<string>,
  known: Set<string>,
): Promise<void> {
  const finalized = await finalizedIds(registry);
  expect(reported.difference(new Set(finalized))).toEqual(new Set());
  for (const id of finalized.filter((each) => !known.has(each))) {
    expect(await registry.verifyPackage(id)).toMatchObject({ fileCount: 3, problems: [] });
    known.add(id);
  }
}

async function staged(storage: StorageBackend): Promise<string[]> {
  return (await Array.fromAsync(storage.listStaged())).map((each) => each.lease);
}

describe.each(dialects)("a process that is killed while it pushes to %s", (dialect) => {
  test("loses nothing that it reported, and leaves what a sweep finds", async () => {
    const folder = await mkdtemp(join(tmpdir(), "store-crash-"));
    const root = join(folder, "objects");
    const postgres = dialect === "postgres" ? await createTestDatabase() : undefined;
    const database = postgres?.url ?? `sqlite:${join(folder, "store.db")}`;
    const primary = await openLocalStorage({ root });
    const options = { database, backends: { primary }, actor: "survivor" };
    const living = await openRegistry(options);
    // A sweeper whose clock is far ahead sees every lease as expired that nobody renews.
    let now = Date.now();
    const later = await openRegistry({ ...options, clock: () => now });
    const gate = Promise.withResolvers<void>();
    const held = await living.createPackage({ namespace: "a", name: "held", version: "1.0.0" });
    const upload = living.ingestFile(held.id, "big", heldOpen(gate.promise));

    const reported = new Set<string>();
    const known = new Set<string>();
    for (let round = 0; round < killings; round += 1) {
      for (const id of await pushAndKill(database, root, `round-${round}`)) reported.add(id);
      await assertWhole(living, reported, known);
      await living.sweep();
    }
    gate.resolve();
    expect(await upload).toMatchObject({ sizeBytes: 4 * 1024 * 1024 });
    await living.finalizePackage(held.id);
    await living.verifyLog();
    expect(await living.replay({ check: true })).toMatchObject({ differences: [] });
    await living.close();

    now = Date.now() + afterEveryLease + 1;
    await later.sweep();
    expect(await staged(primary)).toEqual([]);
    expect((await later.listPackages({ status: "open" })).items).toEqual([]);
    await assertWhole(later, reported, new Set([held.id]));
    account("crash", { dialect, killings, reported: reported.size, finalized: known.size });
    await later.close();
    await postgres?.drop();
    await rm(folder, { recursive: true, force: true });
  });
});

/** A body that stays open until it is let go, so that its staged bytes outlive many sweeps. */
async function* heldOpen(gate: Promise<void>): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; chunk < 3; chunk += 1) yield new Uint8Array(1024 * 1024).fill(chunk);
  await gate;
  yield new Uint8Array(1024 * 1024);
}
