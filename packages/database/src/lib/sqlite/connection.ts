/** One connection of `node:sqlite`, with its compiled statements. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Connection, ResultMode } from "../connection.ts";
import { isBusy, sqliteError } from "./errors.ts";

/** Compiled statements kept by one connection; the oldest goes first. */
const statementLimit = 512;
/** How long statements may follow one another before timers and sockets get their turn. */
const turnMs = 10;

/** Runs statements at once, on the calling thread: SQLite answers in microseconds. */
export class SqliteConnection implements Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #turnBegan = 0;
  #turn: Promise<void> | undefined;

  /** Opens `location`: a path, a `file:` URI or `:memory:`. Reads nothing yet. */
  constructor(location: string) {
    try {
      // A busy timeout would block the event loop; whoever meets a lock waits asynchronously.
      this.#database = new DatabaseSync(location, {
        timeout: 0,
        enableForeignKeyConstraints: false,
      });
    } catch (error) {
      throw sqliteError(error);
    }
  }

  /** Opens `location` and settles its pragmas, waiting for whoever holds a lock meanwhile. */
  static async open(
    location: string,
    pragmas: readonly string[],
    lockTimeoutMs: number,
  ): Promise<SqliteConnection> {
    const connection = new SqliteConnection(location);
    try {
      for (const pragma of pragmas) {
        await patiently(() => connection.#database.exec(`PRAGMA ${pragma}`), lockTimeoutMs);
      }
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    const turn = this.turn();
    if (turn !== undefined) return turn.then(() => this.executeNow(text, parameters, mode));
    return this.executeNow(text, parameters, mode);
  }

  /**
   * Awaiting a statement that answers at once never leaves the microtask queue, so a long run of
   * them would keep timers and sockets waiting. Now and then this is something to wait for first;
   * statements keep their order.
   */
  turn(): Promise<void> | undefined {
    if (this.#turn === undefined && performance.now() - this.#turnBegan > turnMs) {
      this.#turn = nextTurn().then(() => {
        this.#turn = undefined;
        this.#turnBegan = performance.now();
      });
    }
    return this.#turn;
  }

  /** Like {@link execute}, without giving others their turn first. */
  executeNow(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    try {
      return Promise.resolve(this.run(text, parameters, mode));
    } catch (error) {
      return Promise.reject(sqliteError(error));
    }
  }

  /** Like {@link execute}, at once; throws what `node:sqlite` throws. */
  run(text: string, parameters: readonly unknown[], mode: ResultMode): unknown {
    // Drizzle encodes every value for the driver, so these are what SQLite can bind.
    const values = parameters as SQLInputValue[];
    const statement = this.#statement(text, mode);
    if (mode === "rows") return statement.all(...values);
    return { changes: Number(statement.run(...values).changes) };
  }

  /** Like {@link run} without parameters; throws a `StoreError`. */
  runMapped(text: string, mode: ResultMode = "changes"): unknown {
    try {
      return this.run(text, [], mode);
    } catch (error) {
      throw sqliteError(error);
    }
  }

  /** Runs one or several statements without parameters; throws a `StoreError`. */
  exec(text: string): void {
    try {
      this.#database.exec(text);
    } catch (error) {
      throw sqliteError(error);
    }
  }

  /** Rows as objects, for the few statements that no builder writes. */
  all(text: string, ...parameters: SQLInputValue[]): Record<string, unknown>[] {
    try {
      return this.#database.prepare(text).all(...parameters);
    } catch (error) {
      throw sqliteError(error);
    }
  }

  get inTransaction(): boolean {
    return this.#database.isOpen && this.#database.isTransaction;
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #statement(text: string, mode: ResultMode): StatementSync {
    let statement = this.#statements.get(text);
    if (statement !== undefined) return statement;
    statement = this.#database.prepare(text);
    statement.setReturnArrays(mode === "rows");
    if (this.#statements.size >= statementLimit) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(text, statement);
    return statement;
  }
}

/** Tries again, with jitter, while another connection holds a lock; throws a `StoreError`. */
export async function patiently<T>(attempt: () => T, timeoutMs: number): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round += 1) {
    try {
      return attempt();
    } catch (error) {
      const left = deadline - performance.now();
      if (!isBusy(error) || left <= 0) throw sqliteError(error);
      const longest = Math.min(2 ** Math.min(round, 5), left);
      // oxlint-disable-next-line eslint/no-await-in-loop -- waiting is the purpose
      await sleep(longest * (0.5 + Math.random() / 2));
    }
  }
}
