import type { Access } from "@store/access";
import type { Database } from "@store/database";
import type { Registry } from "@store/registry";

import type { Log } from "../log.ts";
import { startLeading, type Leading } from "./leading.ts";
import { sweeping } from "./sweeping.ts";
import { tending } from "./tending.ts";

/** Whose background work is done. */
export interface BackgroundInstance {
  readonly database: Pick<Database, "tryLock">;
  readonly registry: Pick<Registry, "sweep" | "tendCopies">;
  readonly access: Pick<Access, "sweep">;
  readonly log?: Log | undefined;
}

/**
 * Sweeps what nobody holds any more and tends the copies of objects, as long as this process is the
 * one of all servers of the instance that leads; stands by while another is.
 */
export function startBackgroundWork(instance: BackgroundInstance): Leading {
  const { database, registry, access, log } = instance;
  const jobs = [sweeping({ registry, access }, log), tending(registry, log)];
  return startLeading(database, jobs, { log });
}
