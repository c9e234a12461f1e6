/** The writer's transactions on PostgreSQL. */
import { StoreError, isStoreError } from "@store/identity";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, ResultMode } from "../connection.ts";
import { assertUsable, type Migration } from "../migrations.ts";
import type { PostgresSessionConnection, SessionOptions } from "./connection.ts";
import { isPassingConflict, isReadOnly } from "./errors.ts";
import { type PostgresServer, type StatementLimits, withinTime, writerSettings } from "./server.ts";
import { postgresSql } from "./session.ts";
import { channelName } from "./url.ts";
import { postgresStateAt } from "../schema-state.ts";
import { postgresTables } from "./schema.ts";
import type { Sql } from "../sql.ts";
import type { Tables } from "../tables.ts";
import type { Transactor } from "../transactor.ts";

const readVersion = "SELECT max(version) FROM schema_migrations";
/** The head's row is the lock; each statement of READ COMMITTED then sees what came before. */
const beginAndLock =
  "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1 FROM log_head WHERE id = 1 FOR UPDATE";
/**
 * Before there is a head, its table is the lock, and its first holder makes the row. Looking for
 * the row has taken a weaker lock on the table; two that wanted the stronger one on top of it would
 * wait for each other, so the transaction is begun again.
 */
const beginAndLockTable =
  "ROLLBACK; BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE log_head IN EXCLUSIVE MODE";
/** How long the fate of a commit is asked for, and how often. */
const outcomeTimeoutMs = 30_000;
const outcomePauseMs = 250;

interface Options {
  readonly server: PostgresServer;
  readonly migrations: readonly Migration[];
  readonly lockTimeoutMs: number;
  /** Of one statement. COMMIT is not bounded by the server, only by the client. */
  readonly statements: StatementLimits;
}

interface Result {
  readonly rows: unknown[][];
}

/** Statements travel one behind another without waiting, wherever an answer is not needed yet. */
export class PostgresTransactor implements Transactor, Connection {
  readonly tables: Tables = postgresTables;
  readonly #options: Options;
  #session: PostgresSessionConnection | undefined;
  #beginning: { locking: Promise<Result>; version: Promise<Result> } | undefined;
  #saved = false;
  #reused = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The transactor itself: statements go to whichever session is open. */
  get connection(): Connection {
    return this;
  }

  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    return this.#open.execute(text, parameters, mode);
  }

  mayBeginAgain(): boolean {
    return this.#reused && this.#session?.isLost === true;
  }

  mayRunAgain(error: unknown): boolean {
    return isPassingConflict(error);
  }

  refusal(): StoreError | undefined {
    const isThere = this.#session !== undefined && !this.#session.isLost;
    return isThere ? undefined : this.#options.server.refusal;
  }

  bind(connection: Connection): Sql {
    return postgresSql(connection);
  }

  async begin(): Promise<void> {
    this.#saved = false;
    if (this.#session?.isLost === true) await this.close();
    this.#reused = this.#session !== undefined;
    this.#session ??= await this.#options.server.open(this.#sessionOptions);
    const locking = this.#session.batch(beginAndLock);
    // A statement of its own, so that it sees what a migration committed while the lock was awaited.
    const version = this.#session.batch(readVersion);
    // Their failures are met when the beginning is confirmed.
    void Promise.allSettled([locking, version]);
    this.#beginning = { locking, version };
  }

  async confirmBegin(): Promise<boolean> {
    if (this.#beginning === undefined) throw outsideTransaction();
    const { locking, version } = this.#beginning;
    const hasHead = (await this.#writable(locking)).rows.length > 0;
    if (!hasHead) await this.#open.batch(beginAndLockTable);
    const { rows } = hasHead ? await version : await this.#open.batch(readVersion);
    const { migrations } = this.#options;
    const read = async (text: string): Promise<unknown[][]> => (await this.#open.batch(text)).rows;
    assertUsable(await postgresStateAt(read, Number(rows[0]?.[0] ?? 0), migrations), migrations);
    return hasHead;
  }

  async savepoint(): Promise<void> {
    const release = this.#saved ? "RELEASE SAVEPOINT command; " : "";
    this.#saved = true;
    await this.#open.batch(`${release}SAVEPOINT command`);
  }

  async rollbackToSavepoint(): Promise<void> {
    await this.#open.batch("ROLLBACK TO SAVEPOINT command");
  }

  async notify(notifications: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const { schema } = this.#options.server.place;
    const sent = [...notifications].flatMap(([channel, payloads]) =>
      [...payloads].map((payload) =>
        this.execute("SELECT pg_notify($1, $2)", [channelName(schema, channel), payload], "rows"),
      ),
    );
    await Promise.all(sent);
  }

  async commit(wasCommitted: (sql: Sql) => Promise<boolean | undefined>): Promise<void> {
    const session = this.#open;
    // Lost before COMMIT was sent: nothing was committed, and everybody may know.
    if (session.isLost) throw new StoreError("database_unavailable", notCommitted);
    let command: string;
    try {
      ({ command } = await session.batch("COMMIT"));
    } catch (error) {
      if (!session.isLost) throw error;
      await this.#learnOutcome(wasCommitted, error);
      return;
    }
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and without an error.
    if (command !== "COMMIT") {
      throw new StoreError("internal", "The transaction had failed before it was committed.");
    }
  }

  async rollback(): Promise<void> {
    const session = this.#session;
    if (session === undefined || session.isLost) return;
    try {
      await session.batch("ROLLBACK");
    } catch {
      // A session that cannot roll back is given up, which rolls back too.
      await this.close();
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  get #open(): PostgresSessionConnection {
    if (this.#session === undefined) throw outsideTransaction();
    return this.#session;
  }

  get #sessionOptions(): SessionOptions {
    const { lockTimeoutMs, statements } = this.#options;
    return withinTime(statements, writerSettings(lockTimeoutMs));
  }

  /** A session with a standby is given up: its name may lead to the new primary meanwhile. */
  async #writable(locking: Promise<Result>): Promise<Result> {
    try {
      return await locking;
    } catch (error) {
      if (!isReadOnly(error)) throw error;
      await this.close();
      const message = "PostgreSQL only reads: it is a standby, or was made one; try again.";
      throw new StoreError("database_unavailable", message, { cause: error });
    }
  }

  /**
   * The server may have committed before the connection broke, or may still be about to. The lock
   * tells when it is done with the old session; then the participant looks.
   */
  async #learnOutcome(
    wasCommitted: (sql: Sql) => Promise<boolean | undefined>,
    cause: unknown,
  ): Promise<void> {
    const deadline = performance.now() + outcomeTimeoutMs;
    let outcome: boolean | undefined;
    for (;;) {
      try {
        await this.begin();
        await this.confirmBegin();
        outcome = await wasCommitted(this.bind(this));
        break;
      } catch (error) {
        if (!isStoreError(error, "database_unavailable") || performance.now() > deadline) break;
        await sleep(outcomePauseMs);
      } finally {
        await this.rollback();
      }
    }
    if (outcome === true) return;
    if (outcome === false) throw new StoreError("database_unavailable", notCommitted, { cause });
    throw new StoreError(
      "commit_unknown",
      "PostgreSQL went away during COMMIT, and whether it committed could not be learnt; " +
        "look before you try again.",
      { cause },
    );
  }
}

function outsideTransaction(): StoreError {
  return new StoreError("internal", "A statement ran outside of a transaction.");
}

const notCommitted = "The connection to PostgreSQL was lost; nothing was committed, try again.";
