import type { Database, Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { uuidv7 } from "uuidv7";

import { LogBatch, type EventDraft } from "./batch.ts";
import { actorFault, refuseFault } from "./event-rules.ts";
import { HeadWatch, type HeadSource } from "./head-watch.ts";
import { logNotBegun, publicHead, readHeadRow, readSize, type LogHead } from "./head.ts";
import { assertInteger, pageLimits, type EventQuery } from "./query.ts";
import { readPage } from "./read.ts";
import type { StoredEvent } from "./stored-event.ts";
import { tailLog } from "./tail.ts";
import { verifyLog } from "./verify.ts";

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
  /** Reads events that are durable. */
  read(query: EventQuery): Promise<StoredEvent[]>;
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

// Notifications only wake, so a name that several instances of one server share does no harm.
const channel = "store_events";
const defaultTailBatch = 256;

/**
 * Opens the log of a database, which must have the current schema. A database takes one log, and
 * it must be opened before the first write.
 */
export async function openLog(database: Database, options: LogOptions = {}): Promise<EventLog> {
  await database.assertSchemaCurrent();
  return new DatabaseLog(database, options);
}

class DatabaseLog implements EventLog {
  readonly database: Database;
  readonly #batch: LogBatch;
  readonly #watch: HeadWatch;

  constructor(database: Database, { clock = Date.now, ids = uuidv7 }: LogOptions) {
    this.database = database;
    this.#watch = new HeadWatch(headSource(database));
    this.#batch = new LogBatch({
      tables: database.tables,
      clock,
      ids,
      onCommitted: (size) => this.#watch.grew(size),
    });
    database.join(this.#batch);
  }

  async transact<T>(actor: string, command: (tx: LogTransaction) => Promise<T>): Promise<T> {
    refuseFault("actor", actor, actorFault(actor), "invalid_argument");
    return this.database.write(async (tx) => {
      let open = true;
      const now = this.#batch.now();
      let silent = true;
      const append = (draft: EventDraft): StoredEvent => {
        if (!open) throw commandEnded();
        const event = this.#batch.append(actor, now, draft);
        if (silent) tx.notify(channel);
        silent = false;
        return event;
      };
      try {
        return await command({ sql: tx.sql, tables: tx.tables, now, append });
      } finally {
        open = false;
      }
    });
  }

  initialize(actor: string, birth: (tx: LogTransaction) => Promise<void>): Promise<boolean> {
    return this.transact(actor, async (tx) => {
      if (this.#batch.size > 0) return false;
      await birth(tx);
      return true;
    });
  }

  async read(query: EventQuery): Promise<StoredEvent[]> {
    const { reader, tables } = this.database;
    const { events } = await readPage(reader, tables, query);
    return events;
  }

  tail(options: TailOptions): AsyncIterable<StoredEvent> {
    const { since, signal, types, batchSize = defaultTailBatch } = options;
    assertInteger("since", since, 0, Number.MAX_SAFE_INTEGER);
    assertInteger("batchSize", batchSize, 1, pageLimits.events);
    const { reader, tables } = this.database;
    const filter = types === undefined ? {} : { types };
    const source = {
      watch: this.#watch,
      readSize: () => readSize(reader, tables),
      readPage: (after: number, upTo: number) =>
        readPage(reader, tables, { after, before: upTo + 1, limit: batchSize, ...filter }),
    };
    return tailLog(source, since, signal);
  }

  async head(): Promise<LogHead> {
    const { reader, tables } = this.database;
    const row = await readHeadRow(reader, tables);
    if (row === undefined) throw logNotBegun();
    return publicHead(row);
  }

  verify(): Promise<LogHead> {
    return verifyLog(this.database.reader, this.database.tables);
  }
}

/** How often a head is read while somebody waits for it. */
const pollMs = {
  sqlite: { first: 100, longest: 250 },
  // Notifications wake sooner; this is for one that was lost.
  postgres: { first: 5_000, longest: 5_000 },
} as const;

function headSource(database: Database): HeadSource {
  const { dialect, reader, tables } = database;
  return {
    readSize: () => readSize(reader, tables),
    pollMs: pollMs[dialect],
    ...(dialect === "postgres" ? { listen: (wake) => database.listen(channel, () => wake()) } : {}),
  };
}

function commandEnded(): StoreError {
  return new StoreError(
    "closed",
    "An event was appended after its command had ended; await everything inside the command.",
  );
}
