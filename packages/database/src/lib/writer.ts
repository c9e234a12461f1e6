/**
 * The one writer: commands wait in a queue, and those that wait when the database's lock has been
 * taken share one commit. Each runs in a savepoint of its own, one after another.
 */
import { StoreError } from "@store/identity";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Batch, type Job, type WriterLimits } from "./batch.ts";
import type { Transactor } from "./transactor.ts";
import type { BatchParticipant, WriteTransaction } from "./types.ts";

/** Runs commands in batches; see {@link Transactor} for what a batch is made of. */
export class Writer {
  readonly #transactor: Transactor;
  readonly #limits: WriterLimits;
  readonly #queue: Job[] = [];
  readonly #exclusive: (() => Promise<void>)[] = [];
  #participant: BatchParticipant | undefined;
  #working: Promise<void> | undefined;
  #started = false;
  #closed = false;

  constructor(transactor: Transactor, limits: WriterLimits) {
    this.#transactor = transactor;
    this.#limits = limits;
  }

  get queued(): number {
    return this.#queue.length;
  }

  join(participant: BatchParticipant): void {
    if (this.#participant !== undefined || this.#started) {
      throw new StoreError("internal", "One participant may join, before the first write.");
    }
    this.#participant = participant;
  }

  write<T>(command: (tx: WriteTransaction) => PromiseLike<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    const refusal = this.#transactor.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#queue.length >= this.#limits.queueLimit) return Promise.reject(this.#tooMany());
    this.#started = true;
    return new Promise<T>((resolve, reject) => {
      // The queue holds commands of every type; each answers its own caller.
      this.#queue.push({ command, resolve: resolve as (value: unknown) => void, reject });
      this.#working ??= this.#work();
    });
  }

  /** The database went away: whoever waits would only be told so later. */
  refuseQueued(): void {
    const refusal = this.#transactor.refusal();
    if (refusal === undefined) return;
    for (const { reject } of this.#queue.splice(0)) reject(refusal);
  }

  /** Runs `work` between two batches: nothing of this process is written meanwhile. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise<T>((resolve, reject) => {
      this.#exclusive.push(() => work().then(resolve, reject));
      this.#working ??= this.#work();
    });
  }

  /** Refuses new commands and waits for those that are queued. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0 || this.#exclusive.length > 0) {
      // A turn of the event loop lets callers gather, and timers and sockets run between batches.
      await nextTurn();
      await this.#exclusive.shift()?.();
      if (this.#queue.length === 0) continue;
      await new Batch(this.#transactor, this.#participant, this.#queue, this.#limits).run();
    }
    this.#working = undefined;
  }

  #tooMany(): StoreError {
    return new StoreError(
      "database_unavailable",
      `More than ${this.#limits.queueLimit} commands wait for the database; try again later.`,
      { context: { limit: this.#limits.queueLimit } },
    );
  }
}

function closedError(): StoreError {
  return new StoreError("closed", "The database is closed.");
}
