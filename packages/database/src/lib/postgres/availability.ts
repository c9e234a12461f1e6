/** Whether a server can be connected to, known to everybody who would have to find out. */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError, isStoreError } from "@store/identity";

const shortestPauseMs = 100;
const longestPauseMs = 5_000;

/** What {@link Availability} asks and tells. */
export interface AvailabilityOptions {
  /** Connects once and disconnects; rejects while the server is away. */
  readonly probe: () => Promise<void>;
  /** Called when the server is first found to be away. */
  readonly onAway?: (refusal: StoreError) => void;
}

interface Absence {
  readonly cause: StoreError;
  readonly recovered: Promise<void>;
}

/**
 * While a server is away, nobody but one prober tries to connect, after pauses that grow to five
 * seconds; everybody else is refused at once. The first connection that fails says that it is away.
 */
export class Availability {
  readonly #options: AvailabilityOptions;
  readonly #stopping = new AbortController();
  #absence: Absence | undefined;
  /** Counts recoveries, so that an attempt from before the last one says nothing any more. */
  #recoveries = 0;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
  }

  /** What those are told who would have to connect now; nothing while the server is there. */
  get refusal(): StoreError | undefined {
    return this.#absence && refusalOf(this.#absence.cause);
  }

  /** Connects, unless the server is known to be away. */
  async connect<T>(attempt: () => Promise<T>): Promise<T> {
    const { refusal } = this;
    if (refusal !== undefined) throw refusal;
    const recoveries = this.#recoveries;
    try {
      return await attempt();
    } catch (error) {
      if (isStoreError(error) && recoveries === this.#recoveries) this.#leave(error);
      throw error;
    }
  }

  /** Resolves once the server is there again, or nobody asks any more. */
  async recovered(): Promise<void> {
    await this.#absence?.recovered;
  }

  /** Ends the prober. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#absence?.recovered;
  }

  #leave(cause: StoreError): void {
    if (this.#absence !== undefined || this.#stopping.signal.aborted) return;
    this.#absence = { cause, recovered: this.#probe() };
    this.#options.onAway?.(refusalOf(cause));
  }

  async #probe(): Promise<void> {
    const { signal } = this.#stopping;
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      // With jitter, since every server of an instance loses the same database at once.
      const delayMs = pauseMs * (0.5 + Math.random() / 2);
      await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) break;
      try {
        await this.#options.probe();
        break;
      } catch {
        // Still away, for whatever reason.
      }
    }
    this.#absence = undefined;
    this.#recoveries += 1;
  }
}

function refusalOf(cause: StoreError): StoreError {
  if (cause.code !== "database_unavailable") {
    return new StoreError(cause.code, cause.message, { cause, context: cause.context });
  }
  return new StoreError(
    "database_unavailable",
    `PostgreSQL is away and is tried again by itself (${cause.message})`,
    { cause },
  );
}
