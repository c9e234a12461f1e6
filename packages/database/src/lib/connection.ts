/** What stands between drizzle's builders and a driver: one way to run a statement. */
import { StoreError, isStoreError } from "@store/identity";

/** Rows as arrays of driver values in the order of the selection, or the number of rows written. */
export type ResultMode = "rows" | "changes";

/** Runs statements. Rejects with a `StoreError` only. */
export interface Connection {
  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown>;
}

/**
 * One command's connection. It remembers what is still running and the first failure, and refuses
 * every statement once the command has ended: a query that nobody awaited can neither slip into
 * the next command nor survive the rollback of its own.
 */
export class Scope implements Connection {
  readonly #connection: Connection;
  #open = true;
  #running = 0;
  #idle: (() => void) | undefined;
  #failure: StoreError | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    if (!this.#open) return Promise.reject(commandEnded());
    // What comes after a failure would fail in PostgreSQL, and be kept in SQLite.
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#running += 1;
    return this.#connection.execute(text, parameters, mode).then(this.#succeeded, this.#failed);
  }

  /** Throws unless the command still runs. */
  assertOpen(): void {
    if (!this.#open) throw commandEnded();
  }

  /** The first error of a statement, even if the command caught it. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** Refuses further statements and waits for those that run. */
  async end(): Promise<void> {
    this.#open = false;
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  readonly #succeeded = (result: unknown): unknown => {
    this.#settled();
    return result;
  };

  readonly #failed = (error: unknown): never => {
    this.#failure ??= isStoreError(error)
      ? error
      : new StoreError("internal", "A statement failed in an unknown way.", { cause: error });
    this.#settled();
    throw error;
  };

  #settled(): void {
    this.#running -= 1;
    if (this.#running === 0) this.#idle?.();
  }
}

function commandEnded(): StoreError {
  return new StoreError(
    "closed",
    "A command went on after it had ended; await everything inside it.",
  );
}
