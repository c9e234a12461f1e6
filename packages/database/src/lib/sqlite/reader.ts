/** Reading on SQLite, apart from the writer. */
import { StoreError } from "@store/identity";
import type { Connection, ResultMode } from "../connection.ts";
import { type SqliteConnection, patiently } from "./connection.ts";

/**
 * A connection of its own in WAL mode: each statement sees what was committed when it began and
 * never waits for a writer. Another process that recovers or closes the database may lock it for a
 * moment; that is waited for without blocking.
 */
export class SqliteReader implements Connection {
  readonly #connection: SqliteConnection;
  readonly #lockTimeoutMs: number;

  constructor(connection: SqliteConnection, lockTimeoutMs: number) {
    this.#connection = connection;
    this.#lockTimeoutMs = lockTimeoutMs;
  }

  async execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    await this.#connection.turn();
    return await patiently(() => this.#connection.run(text, parameters, mode), this.#lockTimeoutMs);
  }
}

/**
 * A memory database has one connection, so readers wait until the open batch has ended: they never
 * see what is not committed.
 */
export class SqliteMemoryReader implements Connection {
  readonly #connection: SqliteConnection;
  readonly #waitTimeoutMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(connection: SqliteConnection, waitTimeoutMs: number) {
    this.#connection = connection;
    this.#waitTimeoutMs = waitTimeoutMs;
  }

  async execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    await this.#connection.turn();
    const deadline = performance.now() + this.#waitTimeoutMs;
    while (this.#connection.inTransaction) {
      // oxlint-disable-next-line eslint/no-await-in-loop -- another batch may have begun meanwhile
      await this.#turn(deadline - performance.now());
    }
    return await patiently(() => this.#connection.run(text, parameters, mode), this.#waitTimeoutMs);
  }

  /** Lets those who wait read. */
  readonly wake = (): void => {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  };

  #turn(leftMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const resume = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(resume);
        reject(
          new StoreError(
            "database_unavailable",
            "A read waited too long for a command to end; inside a command, read through its own sql.",
          ),
        );
      }, leftMs);
      this.#waiting.add(resume);
    });
  }
}
