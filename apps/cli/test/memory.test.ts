import { readFile, truncate, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

import { account, proving } from "@store/testing/prove";
import { describe, expect, it } from "vitest";

import { sandboxWithServer } from "./server.ts";
import { runBuiltStore, Sandbox } from "./store.ts";

const gibibyte = 1024 ** 3;
const sizeBytes = proving ? 8 * gibibyte : Math.round(0.8 * gibibyte);
const limitBytes = 200_000_000;

runBuiltStore();

describe.skipIf(process.platform !== "linux")("one large file", () => {
  it("is pushed and pulled in less than 200 MB of memory", async () => {
    await using sandbox = await Sandbox.create();
    const path = sandbox.path("large");
    await writeFile(path, "begins");
    // Sparse: the file costs nothing here; its object is written in full.
    await truncate(path, sizeBytes);
    const pushBytes = await peakMemory(sandbox, ["push", "large", "acme/large@1.0.0"]);
    const pullBytes = await peakMemory(sandbox, ["pull", "acme/large@1.0.0", "out"]);
    const verifyBytes = await peakMemory(sandbox, ["verify", "acme/large@1.0.0"]);
    expect(pushBytes).toBeLessThan(limitBytes);
    expect(pullBytes).toBeLessThan(limitBytes);
    expect(verifyBytes).toBeLessThan(limitBytes);
    account("Memory of one large file", { sizeBytes, pushBytes, pullBytes, verifyBytes });
  });

  it("is pushed to a server and pulled from it in less than 200 MB of either's memory", async () => {
    await using started = await sandboxWithServer();
    const { sandbox, server } = started;
    const path = sandbox.path("large");
    await writeFile(path, "begins");
    await truncate(path, sizeBytes);
    const pushBytes = await peakMemory(sandbox, ["push", "large", "acme/large@1.0.0"]);
    const pullBytes = await peakMemory(sandbox, ["pull", "acme/large@1.0.0", "out"]);
    const serverBytes = await peakSoFar(server.child.pid);
    expect(pushBytes).toBeLessThan(limitBytes);
    expect(pullBytes).toBeLessThan(limitBytes);
    expect(serverBytes).toBeGreaterThan(0);
    expect(serverBytes).toBeLessThan(limitBytes);
    account("Memory of one large file at a server", {
      sizeBytes,
      pushBytes,
      pullBytes,
      serverBytes,
    });
  });
});

/** The most memory that a command had resident at once, in bytes. */
async function peakMemory(sandbox: Sandbox, args: readonly string[]): Promise<number> {
  const { child, answer } = sandbox.start(...args);
  child.stdin.end();
  const ended = new AbortController();
  const watch = watchPeak(child.pid, ended.signal);
  const { exitCode, stderr } = await answer;
  ended.abort();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return await watch;
}

/** The kernel keeps the peak itself, so looking now and then misses only the very end. */
async function watchPeak(pid: number | undefined, ended: AbortSignal): Promise<number> {
  let peakBytes = 0;
  while (!ended.aborted) {
    peakBytes = Math.max(peakBytes, await peakSoFar(pid));
    await setTimeout(20);
  }
  return peakBytes;
}

/** The most that a living process had resident at once, in bytes; 0 of one that has ended. */
async function peakSoFar(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
