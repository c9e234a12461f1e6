import { type ContentAddress, StoreError } from "@store/identity";
import type {
  BackendHealth,
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

export interface DeadlineOptions {
  /** How long any call, or the next item of a stream, may take. Default: 30 seconds. */
  readonly answerMs?: number;
  /**
   * How long `sync`, `commit` and the first chunk of a staged `read` may take, which wait for a
   * disk. Default: 10 minutes.
   */
  readonly durableMs?: number;
}

const DEFAULT_ANSWER_MS = 30_000;
const DEFAULT_DURABLE_MS = 600_000;
/** What a timer of the platform can count to. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * A backend that answers or fails in time: a call that hangs is given up with
 * `storage_unavailable`. A slow caller is never at fault: only the backend's time counts, and a
 * stream of any length may go on as long as its chunks come.
 *
 * What was given up may still take place. Bytes that are staged too late are discarded; calls on
 * one `Staged` stay in order, so that an `abort` after a `write` that hangs discards the bytes as
 * soon as that write ends. Put this inside the retries: a call that hung is then tried again.
 */
export function withDeadlines(
  inner: StorageBackend,
  options: DeadlineOptions = {},
): StorageBackend {
  const answerMs = options.answerMs ?? DEFAULT_ANSWER_MS;
  const durableMs = options.durableMs ?? DEFAULT_DURABLE_MS;
  for (const ms of [answerMs, durableMs]) {
    if (Number.isInteger(ms) && ms > 0 && ms <= LONGEST_MS) continue;
    throw new StoreError(
      "invalid_argument",
      `A deadline of ${ms} ms cannot be kept; give 1 to ${LONGEST_MS} whole milliseconds.`,
      { context: { actual: ms, limit: LONGEST_MS } },
    );
  }
  return new DeadlineBackend(inner, new Deadlines(inner.kind, answerMs, durableMs));
}

class Deadlines {
  readonly answerMs: number;
  readonly durableMs: number;
  readonly #kind: string;

  constructor(kind: string, answerMs: number, durableMs: number) {
    this.#kind = kind;
    this.answerMs = answerMs;
    this.durableMs = durableMs;
  }

  /** What `work` comes to, or `storage_unavailable` once `ms` have passed. */
  within<T>(verb: string, work: Promise<T>, ms = this.answerMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#late(verb, ms)), ms);
      const stop = (): void => clearTimeout(timer);
      work.then(stop, stop);
      work.then(resolve, reject);
    });
  }

  async *stream<T>(
    verb: string,
    items: AsyncIterable<T>,
    giveUp: () => void,
    firstMs = this.answerMs,
  ): AsyncGenerator<T> {
    const iterator = items[Symbol.asyncIterator]();
    let answered = true;
    try {
      for (let ms = firstMs; ; ms = this.answerMs) {
        answered = false;
        const next = await this.within(verb, iterator.next(), ms);
        answered = true;
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      if (!answered) giveUp();
      const released = Promise.resolve(iterator.return?.()).catch(() => undefined);
      // An iterator that hangs in one step would hang here too.
      if (answered) await this.within(verb, released).catch(() => undefined);
    }
  }

  #late(verb: string, ms: number): StoreError {
    return new StoreError(
      "storage_unavailable",
      `The ${this.#kind} backend did not answer ${verb} within ${ms} ms. ` +
        "Look at the place's disk or network, then try again.",
      { context: { limit: ms } },
    );
  }
}

class DeadlineBackend extends ForwardingBackend {
  readonly #deadlines: Deadlines;

  constructor(inner: StorageBackend, deadlines: Deadlines) {
    super(inner);
    this.#deadlines = deadlines;
  }

  override async stage(options: StageOptions): Promise<Staged> {
    const staging = this.inner.stage(options);
    try {
      return new DeadlineStaged(await this.#deadlines.within("stage", staging), this.#deadlines);
    } catch (error) {
      // Nobody will ever hold what is staged from now on.
      staging.then((staged) => staged.abort()).catch(() => undefined);
      throw error;
    }
  }

  override async resume(id: string): Promise<Staged> {
    const staged = await this.#deadlines.within("resume", this.inner.resume(id));
    return new DeadlineStaged(staged, this.#deadlines);
  }

  override open(address: ContentAddress, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const { hung, signal } = givingUp(options.signal);
    const chunks = this.inner.open(address, { ...options, signal });
    return this.#deadlines.stream("open", chunks, () => hung.abort());
  }

  override stat(address: ContentAddress): Promise<ObjectStat | undefined> {
    return this.#deadlines.within("stat", this.inner.stat(address));
  }

  override remove(address: ContentAddress): Promise<void> {
    return this.#deadlines.within("remove", this.inner.remove(address));
  }

  override enumerate(after?: ContentAddress): AsyncIterable<ObjectStat> {
    return this.#deadlines.stream("enumerate", this.inner.enumerate(after), () => {});
  }

  override presign(address: ContentAddress, options?: PresignOptions): Promise<string> {
    return this.#deadlines.within("presign", this.inner.presign(address, options));
  }

  override restore(address: ContentAddress, options: RestoreOptions): Promise<ObjectRetrieval> {
    return this.#deadlines.within("restore", this.inner.restore(address, options));
  }

  override listStaged(): AsyncIterable<StagedStat> {
    return this.#deadlines.stream("listStaged", this.inner.listStaged(), () => {});
  }

  override discardStaged(id: string): Promise<void> {
    return this.#deadlines.within("discardStaged", this.inner.discardStaged(id));
  }

  override async health(): Promise<BackendHealth> {
    try {
      return await this.#deadlines.within("health", this.inner.health());
    } catch (error) {
      return { healthy: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  override close(): Promise<void> {
    return this.#deadlines.within("close", this.inner.close());
  }
}

/** A signal that fires for the caller's, or once the call has hung. */
function givingUp(signal: AbortSignal | undefined): {
  readonly hung: AbortController;
  readonly signal: AbortSignal;
} {
  const hung = new AbortController();
  const signals = [hung.signal, ...(signal === undefined ? [] : [signal])];
  return { hung, signal: AbortSignal.any(signals) };
}

class DeadlineStaged extends ForwardingStaged {
  readonly #deadlines: Deadlines;
  #before: Promise<unknown> = Promise.resolve();

  constructor(inner: Staged, deadlines: Deadlines) {
    super(inner);
    this.#deadlines = deadlines;
  }

  override write(chunk: Uint8Array): Promise<void> {
    return this.#inOrder("write", this.#deadlines.answerMs, () => this.inner.write(chunk));
  }

  override sync(): Promise<number> {
    return this.#inOrder("sync", this.#deadlines.durableMs, () => this.inner.sync());
  }

  override read(options: StagedReadOptions = {}): AsyncIterable<Uint8Array> {
    const { hung, signal } = givingUp(options.signal);
    // The first chunk waits for a sync, and that for the call before.
    const { durableMs } = this.#deadlines;
    const chunks = this.#readInOrder({ ...options, signal });
    return this.#deadlines.stream("read", chunks, () => hung.abort(), durableMs);
  }

  override commit(address: ContentAddress): Promise<StorageReceipt> {
    return this.#inOrder("commit", this.#deadlines.durableMs, () => this.inner.commit(address));
  }

  override abort(): Promise<void> {
    const aborting = this.#before.then(() => this.inner.abort());
    this.#before = aborting.catch(() => undefined);
    return this.#deadlines.within("abort", aborting);
  }

  async *#readInOrder(options: StagedReadOptions): AsyncGenerator<Uint8Array> {
    await this.#before;
    yield* this.inner.read(options);
  }

  /** Runs a call after the one before, unless its own time is up by then. */
  async #inOrder<T>(verb: string, ms: number, call: () => Promise<T>): Promise<T> {
    let givenUp = false;
    const work = this.#before.then(() => {
      if (givenUp) throw new StoreError("storage_unavailable", `The ${verb} came too late.`);
      return call();
    });
    this.#before = work.catch(() => undefined);
    try {
      return await this.#deadlines.within(verb, work, ms);
    } catch (error) {
      givenUp = true;
      throw error;
    }
  }
}
