import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openRegistry } from "@store/registry";
import { openLocalStorage } from "@store/storage-local";
import { rounds } from "@store/testing/prove";
import { expect, test, vi } from "vitest";

const script = fileURLToPath(new URL("./pusher.ts", import.meta.url));
const leaseMs = 1_000;
const killings = rounds(20);

/** Lets a process push until some of its bytes are staged, and kills it then. */
async function killWhileStaging(
  database: string,
  root: string,
  round: string,
  isStaging: () => Promise<boolean>,
): Promise<void> {
  const child = spawn(process.execPath, [script, database, root, round, String(leaseMs)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await vi.waitFor(async () => expect(await isStaging()).toBe(true), {
    timeout: 20_000,
    interval: 1,
  });
  child.kill("SIGKILL");
  await ended;
}

/** A body that stays open until it is let go, so that its staged bytes outlive many sweeps. */
async function* heldOpen(gate: Promise<void>): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; chunk < 3; chunk += 1) yield new Uint8Array(1024 * 1024).fill(chunk);
  await gate;
  yield new Uint8Array(1024 * 1024);
}

test("a sweep takes what killed processes staged once their leases lapse, and leaves a living one's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-lapsed-"));
  const root = join(folder, "objects");
  const database = `sqlite:${join(folder, "store.db")}`;
  const primary = await openLocalStorage({ root });
  const registry = await openRegistry({ database, backends: { primary }, actor: "a", leaseMs });
  const pkg = await registry.createPackage({ namespace: "a", name: "held", version: "1.0.0" });
  const gate = Promise.withResolvers<void>();
  const upload = registry.ingestFile(pkg.id, "big", heldOpen(gate.promise));
  const leases = async (): Promise<Set<string>> =>
    new Set((await Array.fromAsync(primary.listStaged())).map((staged) => staged.lease));
  await vi.waitFor(async () => expect((await leases()).size).toBe(1), { timeout: 20_000 });
  const living = await leases();

  for (let round = 0; round < killings; round += 1) {
    await killWhileStaging(database, root, `round-${round}`, async () => {
      const others = (await leases()).difference(living);
      return others.size > 0;
    });
    const left = (await leases()).difference(living);
    await registry.sweep();
    // Before the lease of the dead process has lapsed, nothing of it is touched.
    if (left.size > 0) expect(await leases()).toEqual(living.union(left));
    await vi.waitFor(
      async () => {
        await registry.sweep();
        expect(await leases()).toEqual(living);
      },
      { timeout: 20 * leaseMs, interval: 100 },
    );
  }
  // The living upload has outlived its lease's length several times by now.
  await sleep(leaseMs);
  gate.resolve();
  expect(await upload).toMatchObject({ sizeBytes: 4 * 1024 * 1024 });
  await registry.finalizePackage(pkg.id);
  expect((await registry.verifyPackage(pkg.id)).problems).toEqual([]);
  await registry.close();
  await primary.close();
  await rm(folder, { recursive: true, force: true });
});
