import { StoreError } from "@store/identity";
import type { StorageBackend } from "@store/storage";

import { shown, textOf } from "../arguments.ts";
import type { Instance } from "../instance.ts";
import type { Recorder } from "./recording.ts";

/** On whose behalf copies are dealt with, and until when. */
export interface CopyContext {
  readonly instance: Instance;
  readonly recorder: Recorder;
  /** Gives up what is under way. */
  readonly signal: AbortSignal;
}

export function copyContext(instance: Instance, actor: string, signal: AbortSignal): CopyContext {
  const { database, log, clock } = instance;
  return { instance, recorder: { database, log, clock, actor }, signal };
}

/**
 * A backend that callers name.
 *
 * @throws {StoreError} `invalid_argument` naming those that there are
 */
export function namedBackend({ placement }: Instance, what: string, name: unknown): StorageBackend {
  const backend = placement.backend(textOf(what, name));
  if (backend !== undefined) return backend;
  const known = placement.readOrder.toSorted();
  throw new StoreError(
    "invalid_argument",
    `There is no backend ${shown(name)} to ${what}; there are ${known.join(", ")}.`,
    { context: { actual: shown(name), candidates: known } },
  );
}

/** A backend whose name is known to be one. */
export function backendOf({ placement }: Instance, name: string): StorageBackend {
  const backend = placement.backend(name);
  if (backend === undefined) throw new StoreError("internal", `There is no backend "${name}".`);
  return backend;
}
