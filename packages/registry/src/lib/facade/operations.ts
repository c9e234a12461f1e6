import type { Instance } from "../instance.ts";
import { checkHealth } from "../operations/health.ts";
import type { Registry } from "../registry.ts";
import { replayViews } from "../operations/replay.ts";
import { sweep } from "../operations/sweep.ts";
import { formatTime } from "../times.ts";
import { verifyPackage } from "../operations/verify.ts";

type Operations = Pick<
  Registry,
  | "verifyPackage"
  | "verifyLog"
  | "readEvents"
  | "tailEvents"
  | "head"
  | "replay"
  | "sweep"
  | "health"
  | "close"
>;

/** What operators do with an instance as a whole. */
export function operations(instance: Instance, actor: string): Operations {
  const { log } = instance;
  return {
    verifyPackage: (packageId, options) => verifyPackage(instance, packageId, options),
    verifyLog: () => log.verify(),
    readEvents: (query) => log.read(query),
    tailEvents: (options) => log.tail(options),
    head: () => log.head(),
    replay: (options) => replayViews(instance, options),
    sweep: () =>
      sweep(
        { ...instance, backends: Object.values(instance.backends) },
        actor,
        formatTime(instance.clock()),
      ),
    health: () => checkHealth(instance),
    close: () => closeInstance(instance),
  };
}

async function closeInstance(instance: Instance): Promise<void> {
  try {
    await instance.leases.close();
    await instance.validator.close();
  } finally {
    if (instance.ownsDatabase) await instance.database.close();
  }
}
