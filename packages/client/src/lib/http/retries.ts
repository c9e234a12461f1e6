import { StoreError } from "@store/identity";

import { abortedError, type Failure } from "./failures.ts";

/** How often, and for how long, what failed for the moment is tried again. */
export interface RetryOptions {
  /** How often a request is sent in all, 1 to 100; 5 unless given. */
  readonly attempts?: number;
  /** The longest pause before the second attempt; it doubles with each. 200 ms unless given. */
  readonly firstDelayMs?: number;
  /** Above this no pause grows, unless the server asks for it; 10 s unless given. */
  readonly longestDelayMs?: number;
  /** No attempt is begun later than this after the first; two minutes unless given. */
  readonly withinMs?: number;
}

const mostAttempts = 100;

/**
 * When to try again. Pauses are random up to a bound that doubles ("full jitter": M. Brooker,
 * Exponential Backoff and Jitter, 2015), so that many callers do not come back at once, and never
 * shorter than the server's `Retry-After`.
 */
export class Retries {
  readonly #attempts: number;
  readonly #firstDelayMs: number;
  readonly #longestDelayMs: number;
  readonly #withinMs: number;

  constructor(options: RetryOptions = {}) {
    this.#attempts = options.attempts ?? 5;
    this.#firstDelayMs = options.firstDelayMs ?? 200;
    this.#longestDelayMs = options.longestDelayMs ?? 10_000;
    this.#withinMs = options.withinMs ?? 120_000;
    assertAttempts(this.#attempts);
  }

  /** The attempts at one thing. */
  begin(what: string, signal: AbortSignal | undefined): Attempts {
    const pauseMs: PauseMs = (failure, failures, sinceMs) => {
      if (failures >= this.#attempts) return undefined;
      const pauseMs = this.#pauseMs(failure, failures);
      return sinceMs + pauseMs > this.#withinMs ? undefined : pauseMs;
    };
    return new Attempts(pauseMs, what, signal);
  }

  /** Attempts without an end, for what only its signal ends; none where none are wanted. */
  beginEndless(what: string, signal: AbortSignal | undefined): Attempts {
    const pauseMs: PauseMs = (failure, failures) =>
      this.#attempts === 1 ? undefined : this.#pauseMs(failure, failures);
    return new Attempts(pauseMs, what, signal);
  }

  #pauseMs({ retryAfterMs = 0 }: Failure, failures: number): number {
    const bound = Math.min(this.#longestDelayMs, this.#firstDelayMs * 2 ** (failures - 1));
    return retryAfterMs + Math.random() * bound;
  }
}

/** How long to wait after so many failures; undefined where there is no further attempt. */
type PauseMs = (failure: Failure, failures: number, sinceMs: number) => number | undefined;

/** The attempts at one thing; what fails after a step forward counts anew. */
export class Attempts {
  readonly #pauseMs: PauseMs;
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  #failures = 0;
  #begunAt = performance.now();

  constructor(pauseMs: PauseMs, what: string, signal: AbortSignal | undefined) {
    this.#pauseMs = pauseMs;
    this.#what = what;
    this.#signal = signal;
  }

  /** Something was achieved, so that patience begins again. */
  progressed(): void {
    this.#failures = 0;
    this.#begunAt = performance.now();
  }

  /** Waits before the next attempt, or throws the failure where there is none. */
  async pause(failure: Failure): Promise<void> {
    this.#failures += 1;
    const sinceMs = performance.now() - this.#begunAt;
    const pauseMs = failure.isTransient
      ? this.#pauseMs(failure, this.#failures, sinceMs)
      : undefined;
    if (pauseMs === undefined) throw failure.error;
    await wait(pauseMs, this.#what, this.#signal);
  }
}

/** @throws {StoreError} `aborted` as soon as the signal fires */
function wait(ms: number, what: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortedError(what, signal));
      return;
    }
    const abort = (): void => {
      clearTimeout(timer);
      if (signal !== undefined) reject(abortedError(what, signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function assertAttempts(attempts: number): void {
  if (Number.isInteger(attempts) && attempts >= 1 && attempts <= mostAttempts) return;
  throw new StoreError(
    "invalid_argument",
    `${attempts} attempts cannot be made; give 1 to ${mostAttempts}.`,
    { context: { actual: attempts, limit: mostAttempts } },
  );
}
