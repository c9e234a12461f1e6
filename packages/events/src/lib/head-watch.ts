import { pause, whileUnavailable } from "./retry.ts";

/** Where a {@link HeadWatch} learns of growth that did not come from this process. */
export interface HeadSource {
  /** How many events are durable. */
  readonly readSize: () => Promise<number>;
  /** Calls `wake` whenever there may be more; where this exists, polling is only a safety net. */
  readonly listen?: (wake: () => void) => Promise<{ close(): Promise<void> }>;
  /** The first and the longest pause between two polls, in milliseconds. */
  readonly pollMs: { readonly first: number; readonly longest: number };
}

/** One run of the loop that reads the head while somebody waits. */
interface Run {
  readonly stop: AbortController;
  /** The pause before the next reading. */
  nap: AbortController;
}

/**
 * Tells those who wait when the log has grown. However many wait, one loop reads the head, and
 * only while somebody waits. It hands on only sizes that were read from the database or committed
 * by this process: what wakes it is never believed.
 */
export class HeadWatch {
  readonly #source: HeadSource;
  readonly #waiters = new Set<Waiter>();
  #size = 0;
  #users = 0;
  #run: Run | undefined;

  constructor(source: HeadSource) {
    this.#source = source;
  }

  /** This process knows `size` events to be durable. */
  grew(size: number): void {
    if (size <= this.#size) return;
    this.#size = size;
    for (const waiter of this.#waiters) {
      if (waiter.beyond < size) this.#settle(waiter, size);
    }
  }

  /** Keeps the watch ready between waits; call the result once, when no wait will follow. */
  use(): () => void {
    this.#users += 1;
    return () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#run?.stop.abort();
      this.#run?.nap.abort();
      this.#run = undefined;
    };
  }

  /**
   * Waits until the log has more than `beyond` events and gives their number, or `undefined`
   * once `signal` is aborted. Only between {@link use} and its end.
   */
  waitBeyond(beyond: number, signal: AbortSignal): Promise<number | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#size > beyond) return Promise.resolve(this.#size);
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const onAbort = (): void => this.#settle(waiter, undefined);
    const forget = (): void => signal.removeEventListener("abort", onAbort);
    const waiter: Waiter = { beyond, resolve, reject, forget };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiters.add(waiter);
    // A run that failed is gone: this wait finds the same fault, or that it has passed.
    this.#run ??= this.#start();
    this.#run.nap.abort();
    return promise;
  }

  #settle(waiter: Waiter, size: number | undefined): void {
    this.#waiters.delete(waiter);
    waiter.forget();
    waiter.resolve(size);
  }

  #start(): Run {
    const run = { stop: new AbortController(), nap: new AbortController() };
    void this.#follow(run).catch((error: unknown) => {
      // After its end a run has no waiters any more; those who wait now are another run's.
      if (this.#run !== run) return;
      this.#run = undefined;
      for (const waiter of this.#waiters) {
        waiter.forget();
        waiter.reject(error);
      }
      this.#waiters.clear();
    });
    return run;
  }

  async #follow(run: Run): Promise<void> {
    const { listen } = this.#source;
    const wake = (): void => run.nap.abort();
    // Listening comes before the first reading, so that nothing falls between the two.
    const listener = listen && (await whileUnavailable(() => listen(wake), run.stop.signal));
    try {
      await this.#read(run);
    } finally {
      // A listener that cannot be closed went down with its connection.
      await listener?.close().catch(() => undefined);
    }
  }

  async #read(run: Run): Promise<void> {
    const { first, longest } = this.#source.pollMs;
    let pauseMs = first;
    while (!run.stop.signal.aborted) {
      // Before reading: a wake-up meanwhile must shorten the pause that follows.
      run.nap = new AbortController();
      if (this.#waiters.size === 0) {
        await pause(Infinity, run.nap.signal);
        continue;
      }
      const before = this.#size;
      const size = await whileUnavailable(() => this.#source.readSize(), run.stop.signal);
      if (size !== undefined) this.grew(size);
      pauseMs = this.#size > before ? first : Math.min(pauseMs * 1.25, longest);
      if (this.#waiters.size > 0) await pause(pauseMs, run.nap.signal);
    }
  }
}

interface Waiter {
  readonly beyond: number;
  readonly resolve: (size: number | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Takes the waiter off its signal. */
  readonly forget: () => void;
}
