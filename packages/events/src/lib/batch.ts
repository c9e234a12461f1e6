import type { BatchParticipant, Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { eq } from "drizzle-orm";

import { eventLimits, idFault, refuseFault, subjectFault, typeFault } from "./event-rules.ts";
import { encodeHeader } from "./header.ts";
import { readHeadRow, writeHeadRow, writerHead, type WriterHead } from "./head.ts";
import { insertEvents } from "./insert.ts";
import { appendLeaf, emptyTree, leafHash, sha256 } from "./merkle.ts";
import type { StoredEvent } from "./stored-event.ts";

/** An event that is to be appended. */
export interface EventDraft {
  /** `v<version>.<noun>.<verb>` */
  readonly type: string;
  /** 1 to 1,024 bytes; begins with `namespace/name` where there is one. */
  readonly subject: string;
  /** At most 128 MiB. Handed over: it must not change any more. */
  readonly payload: Uint8Array;
}

/** What a {@link LogBatch} is made of. */
export interface LogBatchOptions {
  readonly tables: Tables;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** UUIDv7 texts. */
  readonly ids: () => string;
  /** Told how many events are durable after a commit. */
  readonly onCommitted: (size: number) => void;
}

/**
 * The log's part in a batch of commands. What they append is gathered in memory, with its place
 * in the log and in the tree, and written before COMMIT: the events together, the head once.
 */
export class LogBatch implements BatchParticipant {
  readonly #options: LogBatchOptions;
  #sizeBefore = 0;
  /** As of the last event gathered; undefined before the first event of all. */
  #head: WriterHead | undefined;
  #gathered: StoredEvent[] = [];

  constructor(options: LogBatchOptions) {
    this.#options = options;
  }

  /** How many events the log has, those gathered included. */
  get size(): number {
    return this.#head?.tree.size ?? 0;
  }

  /** The time for events of now: that of the clock, but never below the last event's. */
  now(): string {
    const now = new Date(this.#options.clock()).toISOString();
    const last = this.#head?.lastOccurredAt ?? "";
    return now < last ? last : now;
  }

  /** @throws {StoreError} `invalid_event` or `limit_exceeded` where the draft breaks a rule */
  append(actor: string, occurredAt: string, draft: EventDraft): StoredEvent {
    const { type, subject, payload } = draft;
    refuseFault("type", type, typeFault(type));
    refuseFault("subject", subject, subjectFault(subject));
    assertPayload(payload);
    const { ids } = this.#options;
    const logId = this.#head?.logId ?? ids();
    const id = ids();
    refuseFault("id", id, idFault(id));
    const tree = this.#head?.tree ?? emptyTree;
    const seq = tree.size + 1;
    const payloadSha256 = sha256(payload);
    const payloadSize = payload.byteLength;
    const fields = { seq, id, type, occurredAt, actor, subject };
    const header = encodeHeader({ ...fields, logId, payloadSha256, payloadSize });
    const event = { ...fields, header, payload, payloadSha256 };
    this.#head = {
      logId,
      tree: appendLeaf(tree, leafHash(header)),
      lastOccurredAt: occurredAt,
      lastEventId: id,
    };
    this.#gathered.push(event);
    return event;
  }

  async begin(sql: Sql): Promise<void> {
    const row = await readHeadRow(sql, this.#options.tables);
    this.#head = row && writerHead(row);
    this.#sizeBefore = this.size;
    this.#gathered = [];
  }

  savepoint(): () => void {
    const head = this.#head;
    const count = this.#gathered.length;
    return () => {
      this.#head = head;
      this.#gathered.length = count;
    };
  }

  async flush(sql: Sql): Promise<void> {
    if (this.#head === undefined || this.#gathered.length === 0) return;
    await insertEvents(sql, this.#options.tables, this.#gathered);
    await writeHeadRow(sql, this.#options.tables, this.#head, this.#sizeBefore);
  }

  committed(): void {
    const { size } = this;
    this.abandoned();
    this.#options.onCommitted(size);
  }

  abandoned(): void {
    this.#head = undefined;
    this.#gathered = [];
  }

  async wasCommitted(sql: Sql): Promise<boolean | undefined> {
    const [first] = this.#gathered;
    if (first === undefined) return undefined;
    const { events } = this.#options.tables;
    const [row] = await sql.select({ seq: events.seq }).from(events).where(eq(events.id, first.id));
    return row !== undefined;
  }
}

function assertPayload(payload: unknown): void {
  if (!(payload instanceof Uint8Array)) {
    throw new StoreError("invalid_event", "The event's payload must be a Uint8Array.");
  }
  if (payload.byteLength <= eventLimits.payloadBytes) return;
  throw new StoreError(
    "limit_exceeded",
    `The event's payload has ${payload.byteLength} bytes where at most ` +
      `${eventLimits.payloadBytes} are allowed.`,
    { context: { actual: payload.byteLength, limit: eventLimits.payloadBytes } },
  );
}
