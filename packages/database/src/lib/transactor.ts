/** What a batch of commands is made of in one dialect. */
import type { StoreError } from "@store/identity";
import type { Connection } from "./connection.ts";
import type { Sql } from "./sql.ts";
import type { Tables } from "./tables.ts";

/** A transaction in one dialect. Everything rejects with a `StoreError`. */
export interface Transactor {
  readonly tables: Tables;
  /** Takes the instance's lock and opens a transaction. */
  begin(): Promise<void>;
  /** Whether the lock and head were surely there; if not, what was read since is read again. */
  confirmBegin(): Promise<boolean>;
  /** Whether beginning failed only because an idle connection had been lost meanwhile. */
  mayBeginAgain(): boolean;
  /** Whether the batch was only in the way of another transaction, so that it is run once more. */
  mayRunAgain(error: unknown): boolean;
  /** What a batch that began now would be refused with, where that is known already. */
  refusal(): StoreError | undefined;
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
