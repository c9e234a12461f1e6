import type { Access } from "@store/access";
import type { Registry } from "@store/registry";

import type { Log } from "../log.ts";
import type { BackgroundJob } from "./leading.ts";

/** What is swept: the instance, and its accounts. */
export interface Swept {
  readonly registry: Pick<Registry, "sweep">;
  readonly access: Pick<Access, "sweep">;
}

/** Sweeps at once and then every five minutes. */
export function sweeping({ registry, access }: Swept, log: Log | undefined): BackgroundJob {
  return {
    name: "sweeping",
    intervalMs: 5 * 60_000,
    async round() {
      // First, since the registry's sweep fails for as long as a mirror is away.
      const { sessionsRemoved } = await access.sweep();
      const { stagedDiscarded, packagesExpired, uploadsExpired } = await registry.sweep();
      if (stagedDiscarded + packagesExpired + uploadsExpired + sessionsRemoved > 0) {
        log?.info("swept", {
          staged: stagedDiscarded,
          open_packages: packagesExpired,
          uploads: uploadsExpired,
          sessions: sessionsRemoved,
        });
      }
      return false;
    },
  };
}
