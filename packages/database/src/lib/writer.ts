/**
 * The one writer: commands wait in a queue, and those that wait when the database's lock has been
 * taken share one commit. Each runs in a savepoint of its own, one after another.
 */
import { StoreError } from "@store/identity";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Connection, Scope } from "./connection.ts";
import type { Sql } from "./sql.ts";
import type { Tables } from "./tables.ts";
import type { BatchParticipant, WriteTransaction } from "./types.ts";

/** A transaction in one dialect. Everything rejects with a `StoreError`. */
export interface Transactor {
  readonly tables: Tables;
  /** Takes the instance's lock and opens a transaction. */
  begin(): Promise<void>;
  /** Whether the lock and head were surely there; if not, what was read since is read again. */
  confirmBegin(): Promise<boolean>;
  /** Whether beginning failed only because an idle connection had been lost meanwhile. */
  mayBeginAgain(): boolean;
  readonly connection: Connection;
  bind(connection: Connection): Sql;
  savepoint(): Promise<void>;
  rollbackToSavepoint(): Promise<void>;
  notify(notifications: ReadonlyMap<string, ReadonlySet<string>>): Promise<void>;
  /**
   * Resolves when the batch is durable. If the answer is lost, `wasCommitted` is asked with the
   * lock held again; `commit_unknown` if that does not help.
   */
  commit(wasCommitted: (sql: Sql) => Promise<boolean | undefined>): Promise<void>;
  /** Gives up the transaction, and never throws: a lost connection has done so already. */
  rollback(): Promise<void>;
}

/** Limits of a {@link Writer}. */
export interface WriterLimits {
  readonly batchLimit: number;
  readonly queueLimit: number;
}

interface Job {
  readonly command: (tx: WriteTransaction) => PromiseLike<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Notifications = Map<string, Set<string>>;

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
    if (this.#queue.length >= this.#limits.queueLimit) return Promise.reject(this.#tooMany());
    this.#started = true;
    return new Promise<T>((resolve, reject) => {
      // The queue holds commands of every type; each answers its own caller.
      this.#queue.push({ command, resolve: resolve as (value: unknown) => void, reject });
      this.#working ??= this.#work();
    });
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

/** Commands that share one commit. */
class Batch {
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
    const waiting = this.#queue.length;
    try {
      await this.#beginOnce().catch(async (error: unknown) => {
        if (!this.#transactor.mayBeginAgain()) throw error;
        await this.#beginOnce();
      });
    } catch (error) {
      for (const job of this.#queue.splice(0, waiting)) job.reject(error);
      return;
    }
    try {
      await this.#runCommands();
      await this.#end();
    } catch (error) {
      await this.#abandon();
      for (const job of this.#taken) job.reject(error);
      return;
    }
    for (const answer of this.#answers) answer();
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
    undo?.();
    if (!bare) await this.#restore(scope.failure);
    this.#answers.push(() => job.reject(outcome.error));
    return false;
  }

  async #attempt(
    job: Job,
    scope: Scope,
    notifications: [string, string][],
  ): Promise<{ ok: true; value: unknown } | { ok: false; error: unknown }> {
    try {
      const value = await job.command({
        sql: this.#transactor.bind(scope),
        tables: this.#transactor.tables,
        notify: (channel, payload = "") => notifications.push([channel, payload]),
      });
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

function closedError(): StoreError {
  return new StoreError("closed", "The database is closed.");
}
