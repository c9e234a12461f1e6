import type { Database } from "@store/database";
import { StoreError } from "@store/identity";
import { uuidv7 } from "uuidv7";

import { LogBatch, type EventDraft } from "./batch.ts";
import { actorFault, refuseFault } from "./event-rules.ts";
import { HeadWatch, type HeadSource } from "./head-watch.ts";
import { logNotBegun, publicHead, readHeadRow, readSize, type LogHead } from "./head.ts";
import { readHeadAt } from "./head-at.ts";
import type { EventLog, LogOptions, LogTransaction, StoredEvents, TailOptions } from "./log.ts";
import { assertInteger, checkQuery, pageLimits, type EventQuery } from "./query.ts";
import { readPage } from "./read.ts";
import { assertComesNext } from "./take-over.ts";
import { scanEvents, scanIndex, type EventFacts, type EventScan } from "./scan.ts";
import type { StoredEvent } from "./stored-event.ts";
import { tailLog } from "./tail.ts";
import { verifyLog } from "./verify.ts";

// Notifications only wake, so a name that several instances of one server share does no harm.
const channel = "store_events";
const defaultTailBatch = 256;
const lastMillisecond = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Opens the log of a database, which must have the current schema, before the first write. Opened
 * again it is the same log, with a clock and ids of its own.
 */
export async function openLog(database: Database, options: LogOptions = {}): Promise<EventLog> {
  await database.assertSchemaCurrent();
  return new DatabaseLog(database, options);
}

/** What the openings of one database share: it takes part in a batch once. */
interface SharedLog {
  readonly batch: LogBatch;
  readonly watch: HeadWatch;
}

const sharedLogs = new WeakMap<Database, SharedLog>();

function shareLog(database: Database): SharedLog {
  const present = sharedLogs.get(database);
  if (present !== undefined) return present;
  const watch = new HeadWatch(headSource(database));
  const batch = new LogBatch(database.tables, (size) => watch.grew(size));
  database.join(batch);
  const shared = { batch, watch };
  sharedLogs.set(database, shared);
  return shared;
}

class DatabaseLog implements EventLog {
  readonly database: Database;
  readonly #batch: LogBatch;
  readonly #watch: HeadWatch;
  readonly #clock: () => number;
  readonly #ids: () => string;

  constructor(database: Database, { clock = Date.now, ids = uuidv7 }: LogOptions) {
    const { batch, watch } = shareLog(database);
    this.database = database;
    this.#batch = batch;
    this.#watch = watch;
    this.#clock = clock;
    this.#ids = ids;
  }

  async transact<T>(actor: string, command: (tx: LogTransaction) => Promise<T>): Promise<T> {
    refuseFault("actor", actor, actorFault(actor), "invalid_argument");
    return this.database.write(async (tx) => {
      let open = true;
      const now = this.#now();
      const authorship = { actor, occurredAt: now, ids: this.#ids };
      let silent = true;
      const append = (draft: EventDraft): StoredEvent => {
        if (!open) throw commandEnded();
        // The writer may have cut the command off, and run others since.
        tx.assertOpen();
        const event = this.#batch.append(draft, authorship);
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

  takeOver(
    { logId, events }: StoredEvents,
    project: Parameters<EventLog["takeOver"]>[1],
  ): Promise<LogHead> {
    return this.database.write(async (tx) => {
      assertComesNext(this.#batch.head, { logId, events });
      for (const event of events) this.#batch.takeOver(logId, event);
      const { head } = this.#batch;
      tx.notify(channel);
      await project({ sql: tx.sql, tables: tx.tables });
      if (head === undefined) throw logNotBegun();
      return head;
    });
  }

  async headAt(size: number): Promise<LogHead> {
    const { logId } = await this.head();
    return await readHeadAt(this.database, logId, size);
  }

  /** The clock's time, but never below that of the last event. */
  #now(): string {
    const now = timeOf(this.#clock);
    const { lastOccurredAt } = this.#batch;
    return now < lastOccurredAt ? lastOccurredAt : now;
  }

  async read(query: EventQuery): Promise<StoredEvent[]> {
    const { events } = await readPage(this.database, query);
    return events;
  }

  scan(query: EventQuery, accepts?: (event: EventFacts) => boolean): Promise<EventScan> {
    const { database } = this;
    return accepts === undefined
      ? scanIndex(database, query)
      : scanEvents(database, query, accepts);
  }

  tail(options: TailOptions): AsyncIterable<StoredEvent> {
    const { since, signal, types, batchSize = defaultTailBatch } = options;
    assertInteger("since", since, 0, Number.MAX_SAFE_INTEGER);
    assertInteger("batchSize", batchSize, 1, pageLimits.events);
    const { database } = this;
    const filter = types === undefined ? {} : { types };
    checkQuery(filter);
    const source = {
      watch: this.#watch,
      whole: types === undefined,
      readSize: () => readSize(database.reader),
      readPage: (after: number, upTo: number) =>
        readPage(database, { after, before: upTo + 1, limit: batchSize, ...filter }),
    };
    return tailLog(source, since, signal);
  }

  async head(): Promise<LogHead> {
    const row = await readHeadRow(this.database.reader);
    if (row === undefined) throw logNotBegun();
    return publicHead(row);
  }

  verify(): Promise<LogHead> {
    return verifyLog(this.database);
  }
}

/** The time of `clock` as RFC 3339, UTC, with milliseconds. */
function timeOf(clock: () => number): string {
  const milliseconds = clock();
  if (milliseconds >= 0 && milliseconds <= lastMillisecond)
    return new Date(milliseconds).toISOString();
  throw new StoreError(
    "invalid_argument",
    `The clock must give milliseconds since 1970, before the year 10000, not ${milliseconds}.`,
    { context: { actual: String(milliseconds), limit: lastMillisecond } },
  );
}

/** How often a head is read while somebody waits for it. */
const pollMs = {
  sqlite: { first: 100, longest: 250 },
  // Notifications wake sooner; this is for one that was lost.
  postgres: { first: 5_000, longest: 5_000 },
} as const;

function headSource(database: Database): HeadSource {
  const { dialect, reader } = database;
  return {
    readSize: () => readSize(reader),
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
