/** Commands that share one commit: begun together, run one by one, answered together. */
import { StoreError } from "@store/identity";
import { setTimeout as sleep } from "node:timers/promises";
import { Scope } from "./connection.ts";
import type { Transactor } from "./transactor.ts";
import type { BatchParticipant, CommitReport, WriteTransaction } from "./types.ts";

/** Limits of a writer. */
export interface WriterLimits {
  readonly batchLimit: number;
  readonly queueLimit: number;
  readonly commandTimeoutMs: number;
  readonly onCommit?: ((report: CommitReport) => void) | undefined;
}

/** A command that waits for its turn. */
export interface Job {
  readonly command: (tx: WriteTransaction) => PromiseLike<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How often a batch is run that is in the way of another transaction. */
const runLimit = 5;
const shortestPauseMs = 10;

type Notifications = Map<string, Set<string>>;

/** Commands that share one commit. */
export class Batch {
  readonly #transactor: Transactor;
  readonly #participant: BatchParticipant | undefined;
  readonly #queue: Job[];
  readonly #limits: WriterLimits;
  readonly #answers: (() => void)[] = [];
  readonly #taken: Job[] = [];
  readonly #notifications: Notifications = new Map();
  #succeeded = 0;

  constructor(
    transactor: Transactor,
    participant: BatchParticipant | undefined,
    queue: Job[],
    limits: WriterLimits,
  ) {
    this.#transactor = transactor;
    this.#participant = participant;
    this.#queue = queue;
    this.#limits = limits;
  }

  /** Answers every command that it takes from the queue; never throws. */
  async run(): Promise<void> {
    const begunMs = performance.now();
    for (let round = 1; ; round += 1) {
      const waiting = this.#queue.length;
      try {
        await this.#runOnce();
        break;
      } catch (error) {
        if (round < runLimit && this.#transactor.mayRunAgain(error)) {
          this.#takeBack();
          // With jitter, or those that were in each other's way would meet again.
          await sleep(shortestPauseMs * 2 ** round * (0.5 + Math.random() / 2));
          continue;
        }
        // Where no command was taken, the lock was not there for any that waits.
        const failed = this.#taken.length > 0 ? this.#taken : this.#queue.splice(0, waiting);
        for (const job of failed) job.reject(error);
        return;
      }
    }
    for (const answer of this.#answers) answer();
    if (this.#succeeded === 0) return;
    const durationMs = performance.now() - begunMs;
    this.#limits.onCommit?.({ commands: this.#succeeded, durationMs });
  }

  async #runOnce(): Promise<void> {
    await this.#beginOnce().catch(async (error: unknown) => {
      if (!this.#transactor.mayBeginAgain()) throw error;
      await this.#beginOnce();
    });
    try {
      await this.#runCommands();
      await this.#end();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /** Nothing was kept, so the commands go back to where they waited, in their order. */
  #takeBack(): void {
    this.#queue.unshift(...this.#taken.splice(0));
    this.#answers.length = 0;
    this.#notifications.clear();
    this.#succeeded = 0;
  }

  async #beginOnce(): Promise<void> {
    try {
      await this.#begin();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    const participant = this.#participant;
    const sql = this.#transactor.bind(this.#transactor.connection);
    await this.#transactor.begin();
    // The participant's first read travels with the lock; if the lock was not there, read again.
    const reading = participant?.begin(sql);
    const [confirmed] = await Promise.all([this.#transactor.confirmBegin(), reading]);
    if (!confirmed) await participant?.begin(sql);
  }

  async #runCommands(): Promise<void> {
    // Alone, a command needs no savepoint: rolling back the whole batch undoes the same.
    let bare = this.#queue.length === 1;
    while (this.#taken.length < this.#limits.batchLimit) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      this.#taken.push(job);
      // oxlint-disable-next-line eslint/no-await-in-loop -- commands run one after another
      const kept = await this.#runCommand(job, bare);
      if (bare && !kept) return;
      bare = false;
    }
  }

  /** Runs one command; returns whether it was kept. Throws if the batch cannot go on. */
  async #runCommand(job: Job, bare: boolean): Promise<boolean> {
    const undo = this.#participant?.savepoint();
    const saved = bare ? undefined : this.#transactor.savepoint();
    // It travels with the command's first statement; its failure is met below.
    saved?.catch(() => undefined);
    const notifications: [string, string][] = [];
    const scope = new Scope(this.#transactor.connection);
    const outcome = await this.#attempt(job, scope, notifications);
    await saved;
    if (outcome.ok) {
      this.#answers.push(() => job.resolve(outcome.value));
      this.#succeeded += 1;
      for (const [channel, payload] of notifications) this.#gather(channel, payload);
      return true;
    }
    // The whole batch is run again: going back to the savepoint would keep the locks before it.
    const { failure } = scope;
    if (failure !== undefined && this.#transactor.mayRunAgain(failure)) throw failure;
    undo?.();
    if (!bare) await this.#restore(failure);
    this.#answers.push(() => job.reject(outcome.error));
    return false;
  }

  async #attempt(
    job: Job,
    scope: Scope,
    notifications: [string, string][],
  ): Promise<{ ok: true; value: unknown } | { ok: false; error: unknown }> {
    try {
      const running = job.command({
        sql: this.#transactor.bind(scope),
        tables: this.#transactor.tables,
        assertOpen: () => scope.assertOpen(),
        notify: (channel, payload = "") => {
          scope.assertOpen();
          notifications.push([channel, payload]);
        },
      });
      const value = await this.#inTime(running);
      await scope.end();
      // A statement failed and the command went on: SQLite would keep the rest, PostgreSQL not.
      return scope.failure === undefined
        ? { ok: true, value }
        : { ok: false, error: scope.failure };
    } catch (error) {
      await scope.end();
      return { ok: false, error };
    }
  }

  /** Everybody waits for a command that hangs, such as one that waits for another `write`. */
  async #inTime(running: PromiseLike<unknown>): Promise<unknown> {
    const { commandTimeoutMs } = this.#limits;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(tooLong(commandTimeoutMs)), commandTimeoutMs);
    });
    try {
      return await Promise.race([running, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** If there is nothing left to go back to, the statement that failed says why. */
  async #restore(failure: unknown): Promise<void> {
    try {
      await this.#transactor.rollbackToSavepoint();
    } catch (error) {
      throw failure ?? error;
    }
  }

  async #end(): Promise<void> {
    const participant = this.#participant;
    if (this.#succeeded === 0) {
      await this.#abandon();
      return;
    }
    await participant?.flush(this.#transactor.bind(this.#transactor.connection));
    if (this.#notifications.size > 0) await this.#transactor.notify(this.#notifications);
    await this.#transactor.commit(async (sql) => participant?.wasCommitted(sql));
    participant?.committed();
  }

  async #abandon(): Promise<void> {
    await this.#transactor.rollback();
    this.#participant?.abandoned();
  }

  #gather(channel: string, payload: string): void {
    const payloads = this.#notifications.get(channel);
    if (payloads === undefined) this.#notifications.set(channel, new Set([payload]));
    else payloads.add(payload);
  }
}

function tooLong(limit: number): StoreError {
  return new StoreError(
    "internal",
    `A command did not end within ${limit} ms; it may wait for nothing but its own statements.`,
    { context: { limit } },
  );
}
