import type { Registry } from "@store/registry";

import type { Log } from "./log.ts";

const sweepIntervalMs = 5 * 60_000;

/** Sweeps at once and then every five minutes. A sweep that fails is told and tried again. */
export function startSweeping(
  registry: Pick<Registry, "sweep">,
  log: Log | undefined,
  intervalMs: number = sweepIntervalMs,
): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let underWay = sweep();
  async function sweep(): Promise<void> {
    try {
      const { stagedDiscarded, packagesExpired } = await registry.sweep();
      if (stagedDiscarded + packagesExpired > 0) {
        log?.info(`swept ${stagedDiscarded} staged and ${packagesExpired} open packages`);
      }
    } catch (error) {
      if (!stopped) log?.error("sweeping failed", error);
    }
    if (stopped) return;
    timer = setTimeout(() => {
      underWay = sweep();
    }, intervalMs).unref();
  }
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}
