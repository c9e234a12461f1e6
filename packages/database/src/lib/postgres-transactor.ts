/** The writer's transactions on PostgreSQL. */
import { StoreError, isStoreError } from "@store/identity";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, ResultMode } from "./connection.ts";
import { assertCurrent, type Migration } from "./migrations.ts";
import { PostgresSessionConnection } from "./postgres-connection.ts";
import { postgresSql } from "./postgres-session.ts";
import { channelName, type PostgresPlace } from "./postgres-url.ts";
import { postgresTables } from "./schema-postgres.ts";
import type { Sql } from "./sql.ts";
import type { Tables } from "./tables.ts";
import type { Transactor } from "./writer.ts";

const readVersion = "SELECT max(version) FROM schema_migrations";
/** The head's row is the lock; each statement of READ COMMITTED then sees what came before. */
const beginAndLock =
  "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1 FROM log_head WHERE id = 1 FOR UPDATE";
/** Before there is a head, its table is the lock; its first holder makes the row. */
const lockTable =
  "LOCK TABLE log_head IN SHARE ROW EXCLUSIVE MODE; SELECT 1 FROM log_head WHERE id = 1 FOR UPDATE";
/** How long the fate of a commit is asked for, and how often. */
const outcomeTimeoutMs = 30_000;
const outcomePauseMs = 250;

interface Options {
  readonly place: PostgresPlace;
  readonly migrations: readonly Migration[];
  readonly lockTimeoutMs: number;
}

/** Statements travel one behind another without waiting, wherever an answer is not needed yet. */
export class PostgresTransactor implements Transactor, Connection {
  readonly tables: Tables = postgresTables;
  readonly #options: Options;
  #session: PostgresSessionConnection | undefined;
  #beginning: Promise<unknown> = Promise.resolve();
  #saved = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The transactor itself: statements go to whichever session is open. */
  get connection(): Connection {
    return this;
  }

  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    return this.session.execute(text, parameters, mode);
  }

  bind(connection: Connection): Sql {
    return postgresSql(connection);
  }

  async begin(): Promise<void> {
    this.#saved = false;
    if (this.#session?.isLost === true) await this.close();
    this.#session ??= await PostgresSessionConnection.open(
      this.#options.place,
      sessionSettings(this.#options.lockTimeoutMs),
    );
    const locking = this.#session.batch(beginAndLock);
    const version = this.#session.batch(readVersion);
    this.#beginning = Promise.all([locking, version]);
    this.#beginning.catch(() => undefined);
    this.#confirm = async () => {
      const { rows } = await locking;
      if (rows.length === 0) await this.session.batch(lockTable);
      const { rows: versions } =
        rows.length === 0 ? await this.session.batch(readVersion) : await version;
      assertCurrent(Number(versions[0]?.[0] ?? 0), this.#options.migrations);
      return rows.length > 0;
    };
  }

  #confirm: () => Promise<boolean> = () => Promise.resolve(false);

  async confirmBegin(): Promise<boolean> {
    return await this.#confirm();
  }

  async savepoint(): Promise<void> {
    const release = this.#saved ? "RELEASE SAVEPOINT command; " : "";
    this.#saved = true;
    await this.session.batch(`${release}SAVEPOINT command`);
  }

  async rollbackToSavepoint(): Promise<void> {
    await this.session.batch("ROLLBACK TO SAVEPOINT command");
  }

  async notify(notifications: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const { schema } = this.#options.place;
    const sent = [...notifications].flatMap(([channel, payloads]) =>
      [...payloads].map((payload) =>
        this.execute("SELECT pg_notify($1, $2)", [channelName(schema, channel), payload], "rows"),
      ),
    );
    await Promise.all(sent);
  }

  async commit(wasCommitted: (sql: Sql) => Promise<boolean | undefined>): Promise<void> {
    const { session } = this;
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

  get session(): PostgresSessionConnection {
    if (this.#session === undefined) {
      throw new StoreError("internal", "A statement ran outside of a transaction.");
    }
    return this.#session;
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

const notCommitted = "The connection to PostgreSQL was lost; nothing was committed, try again.";

/** A client that hangs in a transaction would hold the lock of all servers, so it is cut off. */
export function sessionSettings(lockTimeoutMs: number): Record<string, string> {
  return {
    lock_timeout: String(lockTimeoutMs),
    idle_in_transaction_session_timeout: "60000",
  };
}
