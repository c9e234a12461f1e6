import { StoreError } from "@store/identity";
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
  readonly #goesOnWithout: boolean;
  readonly #away = new Set<string>();
  /** The failure of a backend that fails as a whole. */
  endedBy: BackendFailure | undefined;

  /** `goesOnWithout`: while another backend answers, one that fails as a whole is done without. */
  constructor(context: CopyContext, goesOnWithout = false) {
    this.#context = context;
    this.#goesOnWithout = goesOnWithout;
  }

  /** Whether a backend failed as a whole, and the work goes on without it. */
  isAway(backend: string): boolean {
    return this.#away.has(backend);
  }

  succeededAt(backend: string): void {
    this.#inARow.delete(backend);
  }

  /**
   * The failure, where the work can go on with the next object. One that is no backend's is thrown,
   * and so is that of a backend that fails as a whole, which is recorded, unless the work goes on
   * without it: then that is the failure of all its objects, and undefined after the first.
   */
  async bear(error: unknown): Promise<BackendFailure | undefined> {
    if (!(error instanceof BackendFailure)) throw error;
    const { backend, failure } = error;
    if (this.isAway(backend)) return undefined;
    const isOfAll = await this.#isOfAll(error);
    // Those that were in hand with it were asked at the same time.
    if (this.isAway(backend)) return undefined;
    if (!isOfAll) return error;
    const { recorder, instance } = this.#context;
    if (this.#goesOnWithout) this.#away.add(backend);
    await runCommand(recorder, recorder.actor, backendFailed(backend, failure.code));
    const isAlone = instance.placement.readOrder.every((name) => this.isAway(name));
    if (this.#goesOnWithout && !isAlone) return new BackendFailure(backend, passedOver(error));
    this.endedBy = error;
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

function passedOver({ backend, failure }: BackendFailure): StoreError {
  return new StoreError(
    failure.code,
    `The backend "${backend}" does not answer as it should, and its other copies are passed over: ` +
      failure.message,
    { cause: failure },
  );
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
