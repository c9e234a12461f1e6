import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeManifest, encodeManifest, fromJcs, toJcs } from "@store/manifest";
import type { Manifest } from "@store/manifest";
import { rounds } from "@store/testing/prove";
import { manifestOf } from "./manifest-of.ts";

const fileCount = rounds(100_000);

/** How often the event loop turned while `work` ran. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let isRunning = true;
  const turn = (): void => {
    turns += 1;
    if (isRunning) setImmediate(turn);
  };
  setImmediate(turn);
  const result = await work();
  isRunning = false;
  return { result, turns };
}

describe(`a manifest of ${fileCount} files`, () => {
  let manifest: Manifest;
  let bytes: Uint8Array;
  let json: Uint8Array;

  beforeAll(async () => {
    manifest = manifestOf(fileCount);
    bytes = await encodeManifest(manifest);
    json = await toJcs(bytes);
  });

  // Each file takes some microseconds, and a slice ends after a few milliseconds.
  const fewestTurns = Math.floor(fileCount / 5000);

  test.each<[string, () => Promise<unknown>]>([
    ["encodeManifest", () => encodeManifest(manifest)],
    ["decodeManifest", () => decodeManifest(bytes)],
    ["toJcs", () => toJcs(manifest)],
    ["fromJcs", () => fromJcs(json)],
  ])("%s lets the event loop turn", async (_name, work) => {
    expect((await turnsDuring(work)).turns).toBeGreaterThanOrEqual(fewestTurns);
  });

  test("survives all forms", async () => {
    expect(Buffer.compare(await fromJcs(json), bytes)).toBe(0);
    expect(await decodeManifest(bytes)).toStrictEqual(manifest);
  });

  test("is encoded beside others, one slice a turn, to the same bytes", async () => {
    const work = (): Promise<Uint8Array[]> =>
      Promise.all(Array.from({ length: 4 }, () => encodeManifest(manifest)));
    const { result, turns } = await turnsDuring(work);
    expect(turns).toBeGreaterThanOrEqual(4 * fewestTurns);
    for (const other of result) expect(Buffer.compare(other, bytes)).toBe(0);
  });
});

describe("where there is no setImmediate, as in a browser", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  test("slices are divided by messages", async () => {
    vi.resetModules();
    vi.stubGlobal("setImmediate", undefined);
    const fresh = await import("@store/manifest");
    const manifest = manifestOf(5000);
    const encoded = await Promise.all([
      fresh.encodeManifest(manifest),
      fresh.encodeManifest(manifest),
    ]);
    vi.unstubAllGlobals();
    for (const bytes of encoded) {
      expect(Buffer.compare(bytes, await encodeManifest(manifest))).toBe(0);
    }
  });
});
