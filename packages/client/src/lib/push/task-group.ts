/** How much may be under way at once. */
export interface Bounds {
  readonly count: number;
  /** The sum of the weights, e.g. of bytes in memory; one task alone may weigh more. */
  readonly weight: number;
}

/**
 * Tasks side by side, within bounds. The first failure aborts the signal of the others and ends the
 * group; `finish` waits for all of them whatever happened, and throws that failure.
 */
export class TaskGroup {
  readonly signal: AbortSignal;
  readonly #bounds: Bounds;
  readonly #failed = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #weight = 0;
  #settled = Promise.withResolvers<void>();

  constructor(bounds: Bounds, signal: AbortSignal | undefined) {
    this.#bounds = bounds;
    const own = this.#failed.signal;
    this.signal = signal === undefined ? own : AbortSignal.any([signal, own]);
  }

  /** Starts a task once there is room; throws where the group has ended. */
  async start(weight: number, task: () => Promise<void>): Promise<void> {
    const bounded = Math.min(weight, this.#bounds.weight);
    while (
      this.#running.size >= this.#bounds.count ||
      this.#weight + bounded > this.#bounds.weight
    ) {
      await this.#settled.promise;
    }
    this.signal.throwIfAborted();
    this.#weight += bounded;
    const running = task()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#weight -= bounded;
        this.#running.delete(running);
        this.#settled.resolve();
        this.#settled = Promise.withResolvers();
      });
    this.#running.add(running);
  }

  /** Ends the group with a failure, unless it has one. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#failed.abort(error);
  }

  /** Waits for all tasks. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
