import type { Access } from "@store/access";
import type { Registry } from "@store/registry";

import type { Log } from "./log.ts";

const sweepIntervalMs = 5 * 60_000;

/** What is swept: the instance, and its accounts. */
export interface Swept {
  readonly registry: Pick<Registry, "sweep">;
  readonly access: Pick<Access, "sweep">;
}

/** Sweeps at once and then every five minutes. A sweep that fails is told and tried again. */
export function startSweeping(
  { registry, access }: Swept,
  log: Log | undefined,
  intervalMs: number = sweepIntervalMs,
): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let underWay = sweep();
  async function sweep(): Promise<void> {
    try {
      const { stagedDiscarded, packagesExpired, uploadsExpired } = await registry.sweep();
      const { sessionsRemoved } = await access.sweep();
      if (stagedDiscarded + packagesExpired + uploadsExpired + sessionsRemoved > 0) {
        log?.info("swept", {
          staged: stagedDiscarded,
          open_packages: packagesExpired,
          uploads: uploadsExpired,
          sessions: sessionsRemoved,
        });
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
