import type { ContentAddress } from "@store/identity";
import { decodeManifest } from "@store/manifest";
import { account, rounds } from "@store/testing/prove";
import { describe, expect, test } from "vitest";

import { bytesOf, dialects, openTestInstance } from "./instance.ts";

const fileCount = rounds(100_000);
/** Each object is added ten times, nine of them without its bytes. */
const sharing = 10;
/** What a file may cost while its package is finalized or verified, and what anything may. */
const bytesPerFile = 4 * 1024;
const bytesAnyway = 200 * 1024 * 1024;
/** A turn of the event loop deals with fewer files than this. */
const filesPerTurn = 2_000;

/** How often the event loop turned while `work` ran, and how much memory it took at most. */
async function watched<T>(work: () => Promise<T>) {
  const before = process.memoryUsage().rss;
  let turns = 0;
  let grownBytes = 0;
  let isRunning = true;
  const turn = (): void => {
    turns += 1;
    grownBytes = Math.max(grownBytes, process.memoryUsage().rss - before);
    if (isRunning) setImmediate(turn);
  };
  setImmediate(turn);
  const result = await work();
  isRunning = false;
  return { result, turns, grownBytes };
}

describe.each(dialects)("a package of many files on %s", (dialect) => {
  test("is finalized, verified and forgotten in slices, and in bounded memory", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const fill = async (version: string): Promise<string> => {
      const { id } = await registry.createPackage({ namespace: "acme", name: "app", version });
      const add = async (start: number): Promise<void> => {
        const content = bytesOf(`content ${start}`);
        const { address } = await registry.ingestFile(id, pathOf(start), content);
        const others = Array.from({ length: sharing - 1 }, (_, index) => start + index + 1);
        await Promise.all(others.map((index) => addShared(id, index, address)));
      };
      const addShared = (packageId: string, index: number, address: ContentAddress) =>
        registry.addFile(packageId, pathOf(index), address);
      for (let start = 0; start < fileCount; start += sharing * 100) {
        const starts = Array.from({ length: 100 }, (_, index) => start + index * sharing);
        await Promise.all(starts.map(add));
      }
      return id;
    };

    const id = await fill("1.0.0");
    const finalized = await watched(() => registry.finalizePackage(id));
    expect(finalized.result.package).toMatchObject({ fileCount, status: "finalized" });
    const verified = await watched(() => registry.verifyPackage(id));
    expect(verified.result).toMatchObject({ fileCount, problems: [] });
    const abandoned = await fill("2.0.0");
    await registry.abandonPackage(abandoned);
    for (const { turns, grownBytes } of [finalized, verified]) {
      expect(turns).toBeGreaterThan(fileCount / filesPerTurn);
      expect(grownBytes).toBeLessThan(bytesAnyway + fileCount * bytesPerFile);
    }
    const { files, storage_receipts: receipts } = await decodeManifest(
      await registry.getManifestBytes(id, "cbor"),
    );
    expect([files.length, receipts.length]).toEqual([fileCount, fileCount / sharing]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
    const { turns } = finalized;
    account("a large package", { dialect, files: fileCount, turnsOfFinalizing: turns });
  });
});

function pathOf(index: number): string {
  return `folder-${index % 97}/file-${index}.txt`;
}
