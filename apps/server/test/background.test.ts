import { parseContentAddress } from "@store/identity";
import type { SweepReport, TendReport } from "@store/registry";
import { describe, expect, it, vi } from "vitest";

import { startLeading, type BackgroundJob } from "../src/lib/background/leading.ts";
import { sweeping } from "../src/lib/background/sweeping.ts";
import { tending } from "../src/lib/background/tending.ts";
import type { Log } from "../src/lib/log.ts";

/** A lock that one of several servers holds at a time, and that can be lost. */
function oneLock() {
  let held: AbortController | undefined;
  return {
    lose: () => held?.abort(),
    tryLock: async () => {
      if (held !== undefined && !held.signal.aborted) return undefined;
      const mine = new AbortController();
      held = mine;
      return {
        signal: mine.signal,
        release: async () => {
          if (held === mine) held = undefined;
        },
      };
    },
  };
}

function job(round: BackgroundJob["round"]): BackgroundJob {
  return { name: "working", intervalMs: 1, round };
}

describe("background work", () => {
  it("is done by one server at a time, and by another when that one stops", async () => {
    const lock = oneLock();
    const rounds = { a: 0, b: 0 };
    const count = (server: "a" | "b") =>
      job(async () => {
        rounds[server] += 1;
        return false;
      });
    const first = startLeading(lock, [count("a")], { askMs: 1 });
    const second = startLeading(lock, [count("b")], { askMs: 1 });
    await vi.waitFor(() => expect(rounds.a).toBeGreaterThan(3));
    expect(rounds.b).toBe(0);
    await first.stop();
    const { a } = rounds;
    await vi.waitFor(() => expect(rounds.b).toBeGreaterThan(3));
    expect(rounds.a).toBe(a);
    await second.stop();
  });

  it("ends its round when the lock is lost, and asks for the lock again", async () => {
    const lock = oneLock();
    const signals: AbortSignal[] = [];
    const waiting = job(async (signal) => {
      signals.push(signal);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      return false;
    });
    const leading = startLeading(lock, [waiting], { askMs: 1 });
    await vi.waitFor(() => expect(signals.length).toBe(1));
    lock.lose();
    await vi.waitFor(() => expect(signals.length).toBe(2));
    expect(signals[0]?.aborted).toBe(true);
    await leading.stop();
    expect(signals[1]?.aborted).toBe(true);
  });

  it("goes on after a round that fails, and after a lock that cannot be asked for", async () => {
    const error = vi.fn<Log["error"]>();
    const lock = oneLock();
    let asked = 0;
    const tryLock = async () => {
      asked += 1;
      if (asked === 1) throw new Error("The database is away.");
      return lock.tryLock();
    };
    let rounds = 0;
    const failing = job(async () => {
      rounds += 1;
      throw new Error("This round fails.");
    });
    const leading = startLeading({ tryLock }, [failing], {
      askMs: 1,
      log: { info: () => {}, error },
    });
    await vi.waitFor(() => expect(rounds).toBeGreaterThan(2));
    await leading.stop();
    const told = error.mock.calls.map(([message]) => message);
    expect(told.slice(0, 2)).toEqual(["background work cannot be begun", "working failed"]);
  });

  it("waits for the round under way when it is stopped", async () => {
    const underWay = Promise.withResolvers<boolean>();
    const begun = Promise.withResolvers<void>();
    const leading = startLeading(oneLock(), [
      job(() => {
        begun.resolve();
        return underWay.promise;
      }),
    ]);
    await begun.promise;
    let stopped = false;
    const stopping = leading.stop().then(() => {
      stopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    underWay.resolve(false);
    await stopping;
  });
});

const signal = new AbortController().signal;

describe("sweeping", () => {
  it("tells what it discarded", async () => {
    const info = vi.fn<Log["info"]>();
    const report: SweepReport = {
      stagedDiscarded: 2,
      stagedBytes: 10,
      packagesExpired: 1,
      leasesRemoved: 0,
      idempotencyKeysRemoved: 0,
      uploadsExpired: 0,
    };
    const access = {
      sweep: async () => ({ sessionsRemoved: 0, tokensRemoved: 0, keysRemoved: 0 }),
    };
    const registry = { sweep: async () => report };
    const { round } = sweeping({ registry, access }, { info, error: () => {} });
    expect(await round(signal)).toBe(false);
    const fields = { staged: 2, open_packages: 1, uploads: 0, sessions: 0 };
    expect(info.mock.calls).toEqual([["swept", fields]]);
  });

  it("sweeps accounts too while the instance cannot be swept, as a mirror is away", async () => {
    const sweep = vi.fn(async () => ({ sessionsRemoved: 0, tokensRemoved: 0, keysRemoved: 0 }));
    const away = async () => Promise.reject(new Error("The mirror is away."));
    const { round } = sweeping({ registry: { sweep: away }, access: { sweep } }, undefined);
    await expect(round(new AbortController().signal)).rejects.toThrow("The mirror is away.");
    expect(sweep).toHaveBeenCalledOnce();
  });
});

describe("tending copies", () => {
  it("tells a problem once while it lasts, and again when it comes back", async () => {
    const info = vi.fn<Log["info"]>();
    const problem: TendReport["problems"][number] = {
      address: parseContentAddress(`blake3:${"0".repeat(64)}`),
      backend: "mirror",
      code: "storage_unavailable",
      message: "It is away.",
    };
    let problems = [problem];
    const tendCopies = async (): Promise<TendReport> => ({
      copied: 0,
      sizeBytes: 0,
      retrievalsChanged: 0,
      failed: [],
      recovered: [],
      problemCount: problems.length,
      problems,
      more: problems.length === 0,
    });
    const { round } = tending({ tendCopies }, { info, error: () => {} });
    expect(await round(signal)).toBe(false);
    await round(signal);
    expect(info).toHaveBeenCalledTimes(1);
    problems = [];
    expect(await round(signal)).toBe(true);
    problems = [problem];
    await round(signal);
    expect(info).toHaveBeenCalledTimes(2);
  });

  it("tells once that a backend failed, and again when it fails anew", async () => {
    const said: (string | undefined)[] = [];
    const log: Log = {
      info: (message) => said.push(message),
      error: (message, _, fields) => said.push(`${message}: ${String(fields?.["backend"])}`),
    };
    const failure = { name: "mirror", reason: "storage_unavailable", changedAt: "2026-01-02" };
    const quiet = { copied: 0, sizeBytes: 0, retrievalsChanged: 0, problemCount: 0, problems: [] };
    const reports = [
      { failed: [failure], recovered: [] },
      { failed: [failure], recovered: ["mirror"] },
      { failed: [], recovered: [] },
      { failed: [{ ...failure, changedAt: "2026-01-03" }], recovered: ["mirror"] },
    ].map((report) => ({ ...quiet, ...report, more: false }));
    const tendCopies = async (): Promise<TendReport> =>
      reports.shift() ?? Promise.reject(new Error("There are no more."));
    const { round } = tending({ tendCopies }, log);
    for (let rounds = reports.length; rounds > 0; rounds -= 1) await round(signal);
    const once = ["a backend failed: mirror", "a backend recovered"];
    expect(said).toEqual([...once, ...once]);
  });
});
