/** What an open database offers. Both dialects keep exactly these promises. */
import type { Sql } from "./sql.ts";
import type { Tables, ViewTableName } from "./tables.ts";

/** How to open a database. */
export interface DatabaseOptions {
  /** Longest wait for another process's write lock, in milliseconds. Default 10,000. */
  readonly lockTimeoutMs?: number;
  /** Most commands in one commit. Default 256 on SQLite, 64 on PostgreSQL. */
  readonly batchLimit?: number;
  /** Most commands that may wait for a commit; more are refused. Default 65,536. */
  readonly queueLimit?: number;
  /** Longest run of one command, in milliseconds; all others wait for it. Default 300,000. */
  readonly commandTimeoutMs?: number;
  /** Connections for reading, PostgreSQL only. Default 8. */
  readonly readerConnections?: number;
  /** Most reads that may wait for a connection, PostgreSQL only; more are refused. Default 4,096. */
  readonly readerWaitLimit?: number;
  /** Longest wait of a read for a connection, in milliseconds, PostgreSQL only. Default 10,000. */
  readonly readerWaitTimeoutMs?: number;
  /** Longest run of one read, in milliseconds, PostgreSQL only. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** Longest run of one statement of a command, PostgreSQL only. Default 60,000. */
  readonly writeStatementTimeoutMs?: number;
  /**
   * How much longer than its own limit a server may take to answer, in milliseconds, before it is
   * taken for silent and the connection is given up, PostgreSQL only. Default 5,000.
   */
  readonly answerGraceMs?: number;
  /** Longest wait for a connection to be made, in milliseconds, PostgreSQL only. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Where lists are read, PostgreSQL only: one URL or several. The schema is the primary's. */
  readonly replicaUrl?: string | readonly string[];
  /** How far behind a replica may be that is read from, in milliseconds. Default 5,000. */
  readonly replicaLagMs?: number;
  /** Called after each commit, for those who measure. It must be quick and must not throw. */
  readonly onCommit?: (report: CommitReport) => void;
}

/** A lock that no other process holds meanwhile. */
export interface HeldLock {
  /** Aborted once the lock is lost, with the connection that held it; others may hold it then. */
  readonly signal: AbortSignal;
  /** Gives it back. Does nothing where that has happened, or where it was lost. */
  release(): Promise<void>;
}

/** One durable commit. */
export interface CommitReport {
  /** Commands that it made durable together. */
  readonly commands: number;
  /** From taking the lock to being durable, in milliseconds. */
  readonly durationMs: number;
}

/** One command's view of the open transaction; it is fenced off once the command has ended. */
export interface WriteTransaction {
  readonly sql: Sql;
  readonly tables: Tables;
  /** Throws `closed` once the command has ended or was cut off: nothing may be gathered then. */
  assertOpen(): void;
  /** Wakes listeners after the commit. Says nothing on SQLite, nor when the command fails. */
  notify(channel: string, payload?: string): void;
}

/**
 * Something that takes part in every batch of commands: the event log. It gathers what commands
 * hand it, writes it once before COMMIT, and learns how the commit ended.
 */
export interface BatchParticipant {
  /** The lock is held and no command has run. May be called again if nothing was committed. */
  begin(sql: Sql): Promise<void>;
  /** Called before each command; the returned function undoes what the command gathered. */
  savepoint(): () => void;
  /** Called before COMMIT, if any command succeeded. */
  flush(sql: Sql): Promise<void>;
  /** The batch is durable. Must not throw: callers would be told that it failed. */
  committed(): void;
  /** Nothing of the batch was kept. Must not throw. */
  abandoned(): void;
  /**
   * Asked with the lock held, after the answer to COMMIT was lost: is the batch in the database?
   * `undefined` if that cannot be told.
   */
  wasCommitted(sql: Sql): Promise<boolean | undefined>;
}

/** What a migration did. */
export interface MigrationReport {
  /** The version before, 0 for an empty database. */
  readonly from: number;
  /** The version now. */
  readonly to: number;
  /** The names of the files that were applied, in order. */
  readonly applied: readonly string[];
}

/** A migration that was not applied yet. */
export interface PendingMigration {
  readonly version: number;
  readonly name: string;
  /** Servers whose schema is this version or later go on working meanwhile, and afterwards. */
  readonly compatibleFrom: number;
}

/** How far a migration has come. */
export interface MigrationStep {
  readonly version: number;
  readonly name: string;
  /** `waiting` for others to let go of a lock, which they have until it is tried again. */
  readonly status: "applying" | "waiting" | "applied";
  /** The index that is made now, where the migration makes them one by one. */
  readonly index?: string;
}

/** How to migrate. */
export interface MigrateOptions {
  /** Called as it goes on. It must be quick and must not throw. */
  readonly onStep?: (step: MigrationStep) => void;
}

/** Whether the database answers. */
export interface DatabaseHealth {
  readonly dialect: "sqlite" | "postgres";
  /** The server's or library's version. */
  readonly version: string;
  /** The schema's version in the database, and in this code. */
  readonly schemaVersion: number;
  readonly expectedSchemaVersion: number;
  /** Round trip of a trivial read, in milliseconds. */
  readonly latencyMs: number;
  /** Bytes that the database occupies. */
  readonly sizeBytes: number;
  /** Commands that wait for a commit. */
  readonly queued: number;
}

/** A built query, before it runs. */
export interface Explainable {
  toSQL(): { readonly sql: string; readonly params: readonly unknown[] };
}

/** Stops a subscription. */
export interface Listener {
  close(): Promise<void>;
}

/** How one live table differs from its rebuilt copy. */
export interface TableDifference {
  readonly table: ViewTableName;
  /** Rows that are not the same on both sides: missing, surplus and changed ones. */
  readonly count: number;
  /** The first of them by primary key, at most the sample's limit. */
  readonly sample: readonly RowDifference[];
}

/** One row that differs. Bytes are shown as hex. */
export interface RowDifference {
  /** The values of the primary key, by column name. */
  readonly key: Readonly<Record<string, string | number | null>>;
  /** The row in the live table, by column name; absent if it is missing there. */
  readonly live?: Readonly<Record<string, string | number | null>>;
  /** The row rebuilt from the log; absent if the log knows no such row. */
  readonly rebuilt?: Readonly<Record<string, string | number | null>>;
}

/** The views' tables, empty, apart from the live ones: what replay writes into. */
export interface Scratch {
  /** Usable inside {@link Scratch.transaction} only. */
  readonly sql: Sql;
  readonly tables: Tables;
  /** Runs `work` in one transaction of the scratch space. One at a time. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Holds the instance's writer lock, lets `catchUp` replay the last events, and compares.
   * Returns only tables that differ.
   */
  compare(
    tables: readonly ViewTableName[],
    catchUp: () => Promise<void>,
    options?: { readonly sampleLimit?: number },
  ): Promise<TableDifference[]>;
  /**
   * Holds the writer lock, lets `catchUp` replay the last events, and replaces the content of the
   * live tables in one transaction. Readers see the old rows until it commits.
   */
  swap(tables: readonly ViewTableName[], catchUp: () => Promise<void>): Promise<void>;
  /** Removes the scratch space. */
  close(): Promise<void>;
}

/**
 * An open database. Errors are `StoreError`: `database_unavailable`, `storage_full`,
 * `permission_denied`, `schema_too_new`, `schema_outdated`, `commit_unknown`, `closed`, and
 * `internal` for a statement that the database refuses.
 */
export interface Database {
  readonly dialect: "sqlite" | "postgres";
  readonly tables: Tables;
  /** Reads outside the writer; each statement sees its own snapshot of what is committed. */
  readonly reader: Sql;
  /**
   * Reads that may be a little behind, for lists that people page through: a replica's, if one is
   * configured, answers and is not too far behind, else the same as {@link reader}. Nothing that is
   * decided may rest on them.
   */
  readonly lists: Sql;
  /** Commands that wait for a commit, now. */
  readonly queued: number;
  /**
   * Runs `command` in the writer's transaction and resolves once that is durable. Commands run one
   * after another, many to a commit. One that throws is rolled back alone, and its error is thrown
   * here. A command may read and write the database only; it must await each statement, must not
   * catch a statement's error (it fails even so), and must not call `write` itself.
   *
   * A batch that was in the way of another transaction (a deadlock, a serialization failure) is run
   * again: a command may be called several times before it is committed, and what it leaves
   * outside of the transaction must not depend on how often. Its last run is the one that counts.
   */
  write<T>(command: (tx: WriteTransaction) => PromiseLike<T>): Promise<T>;
  /** Lets a participant take part in every batch; at most one, before the first write. */
  join(participant: BatchParticipant): void;
  /**
   * Brings the schema up to this code's version. Safe in two processes at once, and beside servers:
   * each file is a transaction of its own that waits briefly for locks and tries again, and large
   * indexes are made without one. What was applied stays where a later file fails.
   */
  migrate(options?: MigrateOptions): Promise<MigrationReport>;
  /** Drops everything of ours and migrates an empty database. All data is lost. */
  migrateFresh(options?: MigrateOptions): Promise<MigrationReport>;
  /** What {@link migrate} would apply, in order. */
  pendingMigrations(): Promise<readonly PendingMigration[]>;
  /** The schema's version in the database: 0 if it is empty. */
  schemaVersion(): Promise<number>;
  /**
   * Throws `schema_outdated` or `schema_too_new` unless the schema is this code's, or a newer one
   * that says that this code goes on working with it.
   */
  assertSchemaCurrent(): Promise<void>;
  openScratch(): Promise<Scratch>;
  /**
   * Calls `onNotify` for each notification, and with `undefined` whenever some may have been
   * missed. On SQLite it is never called.
   */
  listen(channel: string, onNotify: (payload: string | undefined) => void): Promise<Listener>;
  /**
   * Takes the lock `name` of this instance, which one process at a time holds, or resolves to
   * `undefined` where one does, this one included. It is gone when the process ends, however it
   * ends. On PostgreSQL it is lost with its connection, which is noticed within 10 s.
   */
  tryLock(name: string): Promise<HeldLock | undefined>;
  /** The plan of a query, as text: for tests that hold a query to its index. */
  explain(query: Explainable): Promise<string>;
  health(): Promise<DatabaseHealth>;
  /** Lets running commands end, refuses new ones with `closed`, and closes. Idempotent. */
  close(): Promise<void>;
}
