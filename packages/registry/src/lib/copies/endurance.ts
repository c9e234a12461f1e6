import type { BackendHealth, HealthReporter } from "@store/storage";

import { backendFailed } from "../commands/copies.ts";
import { runCommand } from "../commands/run.ts";
import { backendOf, type CopyContext } from "./context.ts";
import { BackendFailure, reachOf } from "./failure.ts";

/** Failures of one backend in a row, with no success between, after which it is given up. */
const mostInARow = 32;
/** How long a backend may take to say how it is. */
const healthDeadlineMs = 5_000;

/** Tells a backend that fails as a whole from one that fails for an object now and then. */
export class Endurance {
  readonly #context: CopyContext;
  readonly #inARow = new Map<string, number>();
  /** The failure of a backend that fails as a whole. */
  endedBy: BackendFailure | undefined;

  constructor(context: CopyContext) {
    this.#context = context;
  }

  succeededAt(backend: string): void {
    this.#inARow.delete(backend);
  }

  /**
   * The failure, where the work can go on with the next object. One that is no backend's is thrown,
   * and so is that of a backend that fails as a whole, which is recorded.
   */
  async bear(error: unknown): Promise<BackendFailure> {
    if (!(error instanceof BackendFailure)) throw error;
    if (!(await this.#isOfAll(error))) return error;
    this.endedBy = error;
    const { backend, failure } = error;
    const { recorder } = this.#context;
    await runCommand(recorder, recorder.actor, backendFailed(backend, failure.code));
    throw failure;
  }

  async #isOfAll(error: BackendFailure): Promise<boolean> {
    const reach = reachOf(error);
    if (reach !== "unknown") return reach === "backend";
    const { backend } = error;
    const inARow = (this.#inARow.get(backend) ?? 0) + 1;
    this.#inARow.set(backend, inARow);
    if (inARow >= mostInARow) return true;
    return !(await healthInTime(backendOf(this.#context.instance, backend))).healthy;
  }
}

/** What a backend says of itself; one that says nothing is not healthy. */
export async function healthInTime(backend: HealthReporter): Promise<BackendHealth> {
  const { promise: late, resolve } = Promise.withResolvers<BackendHealth>();
  const silence = { healthy: false, reason: `No answer within ${healthDeadlineMs} ms.` };
  const timer = setTimeout(() => resolve(silence), healthDeadlineMs);
  try {
    return await Promise.race([backend.health(), late]);
  } finally {
    clearTimeout(timer);
  }
}
