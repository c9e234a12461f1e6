import { chmod, chown, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { openLocalStorage } from "@store/storage-local";
import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { account, rounds } from "@store/testing/prove";
import { expect, onTestFinished, test } from "vitest";
import { mountingCommand, Program } from "./lib/program.ts";
import { addressesIn, assertSameBytes, newRoot, put, stagedIn } from "./lib/root-folder.ts";

const NOBODY = 65_534;

interface Committed {
  readonly committed: string;
  readonly existed: boolean;
}

interface Synced {
  readonly synced: string;
  readonly durableBytes: number;
  readonly sizeBytes: number;
  readonly contentSeed: number;
}

const isCommitted = (line: unknown): line is Committed =>
  typeof line === "object" && line !== null && "committed" in line;
const isSynced = (line: unknown): line is Synced =>
  typeof line === "object" && line !== null && "synced" in line;

test("a writer killed at any moment loses nothing it reported and shows nothing half", async () => {
  const root = await newRoot(onTestFinished);
  const total = rounds(100);
  const facts = { rounds: total, reported: 0, interrupted: 0, resumed: 0 };
  const moments = sampleBytes(total, 7);
  const backend = await openLocalStorage({ root });
  onTestFinished(async () => backend.close());
  for (let round = 0; round < total; round++) {
    const writer = new Program("write-objects.ts", [root, String(round * 100_000)]);
    await writer.started();
    await new Promise((resolve) => void setTimeout(resolve, (moments[round] ?? 0) / 2));
    await writer.kill();

    const reported = writer.printed.filter(isCommitted).map(({ committed }) => committed);
    const objects = await gathered(backend.enumerate());
    const addresses = objects.map(({ address }) => address);
    expect(addresses).toEqual(expect.arrayContaining(reported));
    for (const address of addresses) {
      expect(await addressOf(await joined(backend.open(address)))).toBe(address);
      await backend.remove(address);
    }
    const staged = await stagedIn(backend);
    for (const upload of writer.printed.filter(isSynced)) {
      if (!staged.includes(upload.synced)) continue;
      const resumed = await backend.resume(upload.synced);
      expect(resumed.sizeBytes).toBeGreaterThanOrEqual(upload.durableBytes);
      const bytes = sampleBytes(upload.sizeBytes, upload.contentSeed);
      await resumed.write(bytes.subarray(resumed.sizeBytes));
      const { address } = await resumed.commit(await addressOf(bytes));
      assertSameBytes(await joined(backend.open(address)), bytes);
      await backend.remove(address);
      facts.resumed++;
    }
    for (const id of staged) await backend.discardStaged(id);
    expect(await readdir(join(root, "staging"))).toEqual([]);
    facts.reported += reported.length;
    facts.interrupted += staged.length;
  }
  expect(facts.reported).toBeGreaterThan(0);
  account("local storage: a writer killed at random moments", facts);
}, 600_000);

test("processes that make one root and write the same objects at once all succeed", async () => {
  const root = await newRoot(onTestFinished);
  const count = 60;
  const writers = Array.from(
    { length: 4 },
    () => new Program("write-objects.ts", [root, "0", String(count)]),
  );
  const printed = await Promise.all(writers.map(async (writer) => writer.finished()));
  const backend = await openLocalStorage({ root });
  onTestFinished(async () => backend.close());
  const addresses = await addressesIn(backend);
  for (const lines of printed) {
    const committed = lines.filter(isCommitted);
    expect(committed).toHaveLength(count);
    expect([...new Set(committed.map(({ committed: address }) => address))].toSorted()).toEqual(
      addresses,
    );
  }
  const all = printed.flat().filter(isCommitted);
  expect(all.filter(({ existed }) => !existed).length).toBeGreaterThanOrEqual(addresses.length);
  for (const address of addresses) {
    expect(await addressOf(await joined(backend.open(address)))).toBe(address);
  }
  expect(await stagedIn(backend)).toEqual([]);
  expect(await readdir(root)).toEqual(["blake3", "format.json", "staging"]);
});

const mounting = mountingCommand();

test.skipIf(mounting === undefined)(
  "a full disk is told as such, keeps what was acknowledged and works again once there is room" +
    (mounting === undefined ? " (skipped: this user may mount no disk)" : ""),
  async () => {
    const folder = await newRoot(onTestFinished);
    await mkdir(folder);
    const program = new Program("fill-disk.ts", [folder], { within: mounting ?? [] });
    const [result] = await program.finished();
    expect(result).toMatchObject({
      first: expect.stringMatching(/^blake3:/),
      tooLarge: "storage_full",
      tooLargeSynced: "storage_full",
      small: expect.any(Number),
      refusals: ["storage_full"],
      whenFull: {
        health: {
          healthy: false,
          reason: expect.stringMatching(/ENOSPC.*free space/),
          freeBytes: expect.any(Number),
        },
        left: { staged: 0 },
      },
      afterwards: expect.stringMatching(/^blake3:/),
    });
    const { small, whenFull } = result as {
      small: number;
      whenFull: { left: { objects: number; whole: number } };
    };
    expect(small).toBeGreaterThan(0);
    expect(whenFull.left).toMatchObject({ objects: small + 1, whole: small + 1 });
  },
);

test("a root that may only be read serves reads, and refuses writes with the reason", async () => {
  const root = await newRoot(onTestFinished);
  const backend = await openLocalStorage({ root });
  const { address } = await put(backend, sampleBytes(1000));
  await backend.close();
  const paths = ["..", ".", ...(await readdir(root, { recursive: true }))];
  const asRoot = process.getuid?.() === 0;
  for (const path of paths) {
    const full = join(root, path);
    if (asRoot) await chown(full, NOBODY, NOBODY);
    const isFile = path.endsWith(".json") || path.endsWith(address.slice("blake3:".length));
    await chmod(full, isFile ? 0o400 : 0o500);
  }
  onTestFinished(async () => {
    for (const path of paths) await chmod(join(root, path), 0o700);
  });
  const [result] = await new Program("use-read-only.ts", [root]).finished();
  expect(result).toEqual({
    user: asRoot ? NOBODY : process.getuid?.(),
    read: 1000,
    putHeld: { existed: true },
    put: "permission_denied",
    putSynced: "permission_denied",
    putLarge: "permission_denied",
    remove: "permission_denied",
    health: {
      healthy: false,
      reason: expect.stringMatching(/EACCES.*user/),
      freeBytes: expect.any(Number),
      totalBytes: expect.any(Number),
    },
    newRoot: "permission_denied",
    staged: [],
    objects: 1,
  });
});
