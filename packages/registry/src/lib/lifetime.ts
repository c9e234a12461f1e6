import { isStoreError, StoreError } from "@store/identity";

type Method = (...args: never[]) => unknown;

/** From opening an instance to closing it: what is under way, and the word that it ends. */
export class Lifetime {
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  get ended(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Fires when the caller gives up, or the instance closes. */
  signalWith(signal: AbortSignal | undefined): AbortSignal {
    const ending = this.#ending.signal;
    return signal === undefined ? ending : AbortSignal.any([signal, ending]);
  }

  /** The error to throw for one met on the way: what was given up by closing is `closed`. */
  reasonOf(error: unknown): unknown {
    return this.ended && isStoreError(error, "aborted") ? closedError() : error;
  }

  /** The same methods, each refused with `closed` once the instance is closed. */
  guard<Methods extends { readonly [name in keyof Methods]: Method }>(methods: Methods): Methods {
    const guarded = Object.entries<Method>(methods).map(([name, method]) => [
      name,
      (...args: never[]) => this.#run(() => method(...args)),
    ]);
    return Object.fromEntries(guarded) as Methods;
  }

  /** Refuses what is asked from now on, and waits for what is under way. */
  async end(): Promise<void> {
    this.#ending.abort(closedError());
    await Promise.allSettled(this.#underWay);
  }

  async #run(work: () => unknown): Promise<unknown> {
    if (this.ended) throw closedError();
    const running = Promise.resolve(work());
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }
}

/** The refusal of everything that is asked of a closed instance. */
export function closedError(): StoreError {
  return new StoreError("closed", "The registry is closed. Open the instance again.");
}
