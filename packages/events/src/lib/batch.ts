import type { BatchParticipant, Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { eq } from "drizzle-orm";

import { eventLimits, idFault, refuseFault, subjectFault, typeFault } from "./event-rules.ts";
import { assertFaultless, extendChain } from "./chain.ts";
import { encodeHeader } from "./encode-header.ts";
import { readHeadRow, writeHeadRow, writerHead, type LogHead, type WriterHead } from "./head.ts";
import { insertEvents } from "./insert.ts";
import { appendLeaf, emptyTree, leafHash, rootOf, sha256 } from "./merkle.ts";
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

/** On whose behalf, when and under what id an event is appended. */
export interface Authorship {
  readonly actor: string;
  readonly occurredAt: string;
  /** UUIDv7 texts, each a new one. */
  readonly ids: () => string;
}

/**
 * The log's part in a batch of commands. What they append is gathered in memory, with its place
 * in the log and in the tree, and written before COMMIT: the events together, the head once.
 */
export class LogBatch implements BatchParticipant {
  readonly #tables: Tables;
  readonly #onCommitted: (size: number) => void;
  #sizeBefore = 0;
  /** As of the last event gathered; undefined before the first event of all. */
  #head: WriterHead | undefined;
  #gathered: StoredEvent[] = [];

  /** `onCommitted` is told how many events are durable after each commit. */
  constructor(tables: Tables, onCommitted: (size: number) => void) {
    this.#tables = tables;
    this.#onCommitted = onCommitted;
  }

  /** How many events the log has, those gathered included. */
  get size(): number {
    return this.#head?.tree.size ?? 0;
  }

  /** The time of the last event, or before the first one "", which is below every time. */
  get lastOccurredAt(): string {
    return this.#head?.lastOccurredAt ?? "";
  }

  /** @throws {StoreError} `invalid_event` or `limit_exceeded` where the draft breaks a rule */
  append(draft: EventDraft, { actor, occurredAt, ids }: Authorship): StoredEvent {
    const { type, subject, payload } = draft;
    refuseFault("type", type, typeFault(type));
    refuseFault("subject", subject, subjectFault(subject));
    assertPayload(payload);
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

  /**
   * Takes an event of the log `logId` over as it is stored there, at the place that it has.
   *
   * @throws {StoreError} `log_corrupt` naming the event where it is not as it was written
   */
  takeOver(logId: string, event: StoredEvent): void {
    const { tree, lastOccurredAt } = this.#head ?? { tree: emptyTree, lastOccurredAt: "" };
    const chain = extendChain({ logId, tree, lastOccurredAt }, event);
    assertFaultless(event);
    this.#head = { ...chain, lastEventId: event.id };
    this.#gathered.push(event);
  }

  /** The log as it will be once what was gathered is durable; undefined before its first event. */
  get head(): LogHead | undefined {
    if (this.#head === undefined) return undefined;
    const { logId, tree } = this.#head;
    return { logId, size: tree.size, root: rootOf(tree), frontier: tree.frontier };
  }

  async begin(sql: Sql): Promise<void> {
    const row = await readHeadRow(sql);
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
    // Both travel at once; neither has to see the other's outcome.
    await Promise.all([
      insertEvents(sql, this.#gathered),
      writeHeadRow(sql, this.#head, this.#sizeBefore),
    ]);
  }

  committed(): void {
    const { size } = this;
    this.abandoned();
    this.#onCommitted(size);
  }

  abandoned(): void {
    this.#head = undefined;
    this.#gathered = [];
  }

  async wasCommitted(sql: Sql): Promise<boolean | undefined> {
    const [first] = this.#gathered;
    if (first === undefined) return undefined;
    const { events } = this.#tables;
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
