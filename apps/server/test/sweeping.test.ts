import type { SweepReport } from "@store/registry";
import { describe, expect, it, vi } from "vitest";

import type { Log } from "../src/lib/log.ts";
import { startSweeping, type Swept } from "../src/lib/sweeping.ts";

const nothing: SweepReport = {
  stagedDiscarded: 0,
  stagedBytes: 0,
  packagesExpired: 0,
  leasesRemoved: 0,
  idempotencyKeysRemoved: 0,
  uploadsExpired: 0,
};

/** Accounts of which nothing is ever left behind. */
const access = {
  sweep: async () => ({ sessionsRemoved: 0, tokensRemoved: 0, keysRemoved: 0 }),
};

function swept(sweep: () => Promise<SweepReport>): Swept {
  return { registry: { sweep }, access };
}

describe("sweeping", () => {
  it("goes on after each sweep, one at a time, until it is stopped", async () => {
    let running = 0;
    const sweep = vi.fn<() => Promise<SweepReport>>(async () => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      running -= 1;
      return nothing;
    });
    const sweeping = startSweeping(swept(sweep), undefined, 1);
    await vi.waitFor(() => expect(sweep.mock.calls.length).toBeGreaterThan(2));
    await sweeping.stop();
    const { length } = sweep.mock.calls;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sweep.mock.calls.length).toBe(length);
  });

  it("waits for the sweep under way when it is stopped", async () => {
    const underWay = Promise.withResolvers<SweepReport>();
    const sweeping = startSweeping(
      swept(() => underWay.promise),
      undefined,
      1,
    );
    let stopped = false;
    const stopping = (async () => {
      await sweeping.stop();
      stopped = true;
    })();
    await Promise.resolve();
    expect(stopped).toBe(false);
    underWay.resolve(nothing);
    await stopping;
  });

  it("tells what it discarded", async () => {
    const info = vi.fn<Log["info"]>();
    const sweep = async () => ({ ...nothing, stagedDiscarded: 2, packagesExpired: 1 });
    const sweeping = startSweeping(swept(sweep), { info, error: () => {} }, 60_000);
    await vi.waitFor(() => expect(info).toHaveBeenCalledOnce());
    expect(info).toHaveBeenCalledWith("swept", {
      staged: 2,
      open_packages: 1,
      uploads: 0,
      sessions: 0,
    });
    await sweeping.stop();
  });
});
