import type { Database, Sql, Tables } from "@store/database";

import type { EventDraft } from "./batch.ts";
import type { LogHead } from "./head.ts";
import type { EventQuery } from "./query.ts";
import type { EventFacts, EventScan } from "./scan.ts";
import type { StoredEvent } from "./stored-event.ts";

/** How to open a log. */
export interface LogOptions {
  /** Milliseconds since the epoch; the system's clock unless given. */
  readonly clock?: () => number;
  /** UUIDv7 texts, each a new one; random ones, rising within the process, unless given. */
  readonly ids?: () => string;
}

/** How to follow a log. */
export interface TailOptions {
  /** The `seq` of the last event already seen; 0 for all. */
  readonly since: number;
  /** Ends the tail. */
  readonly signal?: AbortSignal;
  /** Only events of one of these types, 1 to 32. */
  readonly types?: readonly string[];
  /** Events read at once, 1 to 1,000; 256 unless given. */
  readonly batchSize?: number;
}

/** One command's view of the transaction that it decides, records and projects in. */
export interface LogTransaction {
  readonly sql: Sql;
  readonly tables: Tables;
  /** The time of every event that this command appends. */
  readonly now: string;
  /**
   * Puts an event at the end of the log. Its `seq` holds if the command succeeds; if it throws,
   * the place goes to another event.
   *
   * @throws {StoreError} `invalid_event` where the draft breaks a rule, `limit_exceeded` where it
   *   is too large, `closed` once the command has ended
   */
  append(draft: EventDraft): StoredEvent;
}

/** Events of a log as they are stored there, one after another. */
export interface StoredEvents {
  readonly logId: string;
  /** One at least; how much is taken over at once is how much is in memory. */
  readonly events: readonly StoredEvent[];
}

/**
 * An append-only log of events in a database, under one Merkle tree. It begins with its first
 * event. Errors are `StoreError`, also those of the database.
 */
export interface EventLog {
  readonly database: Database;
  /**
   * Runs `command` in the writer's transaction on behalf of `actor`, an opaque id of 1 to 256
   * bytes, and resolves once its events and whatever else it wrote are durable. Commands run one
   * after another, many to a commit; one that throws leaves nothing behind and no gap.
   */
  transact<T>(actor: string, command: (tx: LogTransaction) => Promise<T>): Promise<T>;
  /**
   * Runs `birth` like {@link transact}, but only if the log has no event yet; says whether it
   * did. Of several processes that do this at once, one runs its command.
   */
  initialize(actor: string, birth: (tx: LogTransaction) => Promise<void>): Promise<boolean>;
  /**
   * Takes over what follows this log's last event in a log of the same id, byte for byte: each event
   * is held against its header, its payload's digest and the one before it, and becomes the next
   * leaf of the tree. `project` runs once in the same transaction. Resolves with the head once that
   * is durable. A log that has no event yet becomes that log.
   *
   * @throws {StoreError} `precondition_failed` where the log has another id, or the events are not
   *   those that come next; `log_corrupt` naming the first that is not as it was written
   */
  takeOver(
    stored: StoredEvents,
    project: (tx: { readonly sql: Sql; readonly tables: Tables }) => Promise<void>,
  ): Promise<LogHead>;
  /**
   * The head that the log had after its first `size` events, computed from their stored headers.
   *
   * @throws {StoreError} `log_corrupt` where one of them is missing, `instance_not_found` where the
   *   log has no event yet
   */
  headAt(size: number): Promise<LogHead>;
  /** Reads events that are durable. */
  read(query: EventQuery): Promise<StoredEvent[]>;
  /**
   * The same, and how far it reaches. With `accepts`, only the events for which that answers true:
   * then one call looks at 4,096 events at most, one after another, so that how far it looked says
   * nothing about what was not accepted; there may be few events on a page, or none.
   */
  scan(query: EventQuery, accepts?: (event: EventFacts) => boolean): Promise<EventScan>;
  /**
   * The events after `since`, and then each as it becomes durable, in order, none left out and
   * none twice, until `signal` is aborted, which ends the iteration without an error. Reads a page
   * when the consumer has used up the one before. While the database is unavailable it waits and
   * tries again; every other error ends it. `invalid_argument` where the log is not as long as
   * `since`.
   */
  tail(options: TailOptions): AsyncIterable<StoredEvent>;
  /** @throws {StoreError} `instance_not_found` where the log has no event yet */
  head(): Promise<LogHead>;
  /**
   * Recomputes everything from what is stored, event by event, and returns the head that it
   * proved.
   *
   * @throws {StoreError} `log_corrupt` naming the first event that is wrong and what differs
   */
  verify(): Promise<LogHead>;
}
