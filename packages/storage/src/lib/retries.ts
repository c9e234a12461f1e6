import { type ContentAddress, isStoreError, StoreError } from "@store/identity";
import { untilAborted } from "./aborting.ts";
import type {
  ObjectRetrieval,
  ObjectStat,
  PresignOptions,
  ReadOptions,
  RestoreOptions,
  Staged,
  StagedReadOptions,
  StagedStat,
  StageOptions,
  StorageBackend,
  StorageReceipt,
} from "./contract.ts";
import { ForwardingBackend, ForwardingStaged } from "./forwarding.ts";
import { joinedRead } from "./joined-read.ts";
import { joinedStagedRead } from "./staged-read.ts";

export interface RetryOptions {
  /** How often a call is tried in all, 1 to 100. Default: 4. */
  readonly attempts?: number;
  /** The longest pause before the second attempt; it doubles with each. Default: 100 ms. */
  readonly firstDelayMs?: number;
  /** Above this no pause grows. Default: 5 seconds. */
  readonly longestDelayMs?: number;
}

const MOST_ATTEMPTS = 100;

/**
 * A backend that tries again what the contract says may be tried again, after
 * `storage_unavailable` and no other error: every verb but `write` and `sync`, `health` and
 * `close`. Pauses are random up to a bound that doubles ("full jitter": M. Brooker, Exponential
 * Backoff and Jitter, 2015), so that many callers do not come back at once.
 *
 * A read that breaks off goes on by range from the next byte, and an enumeration after its last
 * address; one of staged bytes begins again and leaves out what was delivered. The attempts are
 * counted anew after each step forward. Whole reads are hashed, so that
 * what was joined is what the address says or ends with `object_corrupt`. A listing of what is
 * staged has no order to go on from, and is tried again only before its first item.
 */
export function withRetries(inner: StorageBackend, options: RetryOptions = {}): StorageBackend {
  return new RetryingBackend(inner, new Retries(options));
}

/** A random pause before the attempt after `failures` failures, in ms. */
export function retryDelayMs(
  failures: number,
  firstDelayMs: number,
  longestDelayMs: number,
  random: number,
): number {
  return random * Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1));
}

class Retries {
  readonly #attempts: number;
  readonly #firstDelayMs: number;
  readonly #longestDelayMs: number;

  constructor({ attempts = 4, firstDelayMs = 100, longestDelayMs = 5000 }: RetryOptions) {
    if (!Number.isInteger(attempts) || attempts < 1 || attempts > MOST_ATTEMPTS) {
      throw new StoreError(
        "invalid_argument",
        `${attempts} attempts cannot be made; give 1 to ${MOST_ATTEMPTS}.`,
        { context: { actual: attempts, limit: MOST_ATTEMPTS } },
      );
    }
    this.#attempts = attempts;
    this.#firstDelayMs = firstDelayMs;
    this.#longestDelayMs = longestDelayMs;
  }

  async call<T>(call: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await call();
      } catch (error) {
        await this.pause(error, failures);
      }
    }
  }

  /** Waits before the next attempt, or throws `failure` if there is none. */
  async pause(failure: unknown, failures: number, signal?: AbortSignal): Promise<void> {
    const transient = isStoreError(failure, "storage_unavailable");
    if (!transient || failures >= this.#attempts) throw failure;
    const first = this.#firstDelayMs;
    const delayMs = retryDelayMs(failures, first, this.#longestDelayMs, Math.random());
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, delayMs);
    await untilAborted(promise, signal, "read").finally(() => clearTimeout(timer));
  }

  /**
   * A stream that is begun again after a failure, from the last item that was delivered; where
   * it is not `resumable`, only before the first.
   */
  async *stream<T>(
    begin: (last: T | undefined) => AsyncIterable<T>,
    resumable: boolean,
  ): AsyncGenerator<T> {
    let last: T | undefined;
    for (let failures = 1; ; failures++) {
      try {
        for await (const item of begin(last)) {
          last = item;
          failures = 1;
          yield item;
        }
        return;
      } catch (error) {
        if (last !== undefined && !resumable) throw error;
        await this.pause(error, failures);
      }
    }
  }
}

class RetryingBackend extends ForwardingBackend {
  readonly #retries: Retries;

  constructor(inner: StorageBackend, retries: Retries) {
    super(inner);
    this.#retries = retries;
  }

  override async stage(options: StageOptions): Promise<Staged> {
    const staged = await this.#retries.call(() => this.inner.stage(options));
    return new RetryingStaged(staged, this.#retries);
  }

  override async resume(id: string): Promise<Staged> {
    const staged = await this.#retries.call(() => this.inner.resume(id));
    return new RetryingStaged(staged, this.#retries);
  }

  override open(address: ContentAddress, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    let failures = 0;
    return joinedRead(address, options, this.inner, async (failure, progressed) => {
      failures = progressed ? 1 : failures + 1;
      await this.#retries.pause(failure, failures, options.signal);
      return this.inner;
    });
  }

  override stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    return this.#retries.call(() => this.inner.stat(address));
  }

  override remove(address: ContentAddress): Promise<void> {
    return this.#retries.call(() => this.inner.remove(address));
  }

  override enumerate(after?: ContentAddress): AsyncIterable<ObjectStat> {
    return this.#retries.stream((last) => this.inner.enumerate(last?.address ?? after), true);
  }

  override presign(address: ContentAddress, options?: PresignOptions): Promise<string> {
    return this.#retries.call(() => this.inner.presign(address, options));
  }

  override restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval> {
    return this.#retries.call(() => this.inner.restore(address, options));
  }

  override listStaged(): AsyncIterable<StagedStat> {
    return this.#retries.stream(() => this.inner.listStaged(), false);
  }

  override discardStaged(id: string): Promise<void> {
    return this.#retries.call(() => this.inner.discardStaged(id));
  }
}

class RetryingStaged extends ForwardingStaged {
  readonly #retries: Retries;

  constructor(inner: Staged, retries: Retries) {
    super(inner);
    this.#retries = retries;
  }

  override read(options: StagedReadOptions = {}): AsyncIterable<Uint8Array> {
    let failures = 0;
    return joinedStagedRead(this.inner, options, async (failure, progressed) => {
      failures = progressed ? 1 : failures + 1;
      await this.#retries.pause(failure, failures, options.signal);
      return this.inner;
    });
  }

  override commit(address: ContentAddress): Promise<StorageReceipt> {
    return this.#retries.call(() => this.inner.commit(address));
  }

  override abort(): Promise<void> {
    return this.#retries.call(() => this.inner.abort());
  }
}
