import type { Row } from "@store/database";
import { and, asc, gt, lt, sql as expression } from "drizzle-orm";

import { readSize } from "./head.ts";
import { checkQuery, type EventQuery, type SeqRange } from "./query.ts";
import { isBelow, readPage, readSeqs, withinBudget, type LogPlace } from "./read.ts";
import type { StoredEvent } from "./stored-event.ts";

/** Events that were found, and how far the log was looked through for them. */
export interface EventScan {
  readonly events: StoredEvent[];
  /** Everything that was asked for up to this `seq` is among the events: go on after it. */
  readonly scannedTo: number;
  /** How many events the log had. */
  readonly head: number;
}

/** What is known of an event before its bytes are read. */
export type EventFacts = Pick<Row<"events">, "seq" | "type" | "subject" | "actor">;

interface Candidate extends EventFacts {
  readonly sizeBytes: number;
}

/** Events looked at by one statement, and by one call. */
const rowsAtOnce = 1_024;
const rowsPerCall = 4_096;

/** A page of what `query` selects, and how far that reaches. */
export async function scanIndex(place: LogPlace, query: EventQuery): Promise<EventScan> {
  const { end, head } = await reach(place, checkQuery(query));
  const { events, complete } = await readPage(place, { ...query, before: end + 1 });
  const scannedTo = complete ? end : (events.at(-1)?.seq ?? end);
  return { events, scannedTo, head };
}

/**
 * The same of what is accepted, by looking at one event after another. How far one call looks
 * depends on the place and on what was accepted alone.
 */
export async function scanEvents(
  place: LogPlace,
  query: EventQuery,
  accepts: (event: EventFacts) => boolean,
): Promise<EventScan> {
  const range = checkQuery(query);
  const { end, head } = await reach(place, range);
  const upTo = Math.min(end, range.after + rowsPerCall);
  const found: Candidate[] = [];
  let scannedTo = range.after;
  while (scannedTo < upTo && found.length < range.limit) {
    const before = Math.min(upTo, scannedTo + rowsAtOnce) + 1;
    const rows = await readFacts(place, { after: scannedTo, before });
    found.push(...rows.filter((row) => matches(query, row) && accepts(row)));
    scannedTo = before - 1;
  }
  const seqs = withinBudget(found.slice(0, range.limit));
  // What was found and has no room is found again by the next call.
  if (seqs.length < found.length) scannedTo = seqs.at(-1) ?? range.after;
  return { events: await readSeqs(place, seqs), scannedTo, head };
}

/** The last place that a query can reach now. */
async function reach(
  { reader }: LogPlace,
  { after, before }: SeqRange,
): Promise<{ readonly end: number; readonly head: number }> {
  const head = await readSize(reader);
  return { end: Math.max(after, Math.min(head, before - 1)), head };
}

async function readFacts(
  { reader, tables: { events } }: LogPlace,
  { after, before }: Pick<SeqRange, "after" | "before">,
): Promise<Candidate[]> {
  const { seq, type, subject, actor, payload } = events;
  return reader
    .select({ seq, type, subject, actor, sizeBytes: expression<number>`length(${payload})` })
    .from(events)
    .where(and(gt(seq, after), lt(seq, before)))
    .orderBy(asc(seq));
}

function matches({ types, subject, actor }: EventQuery, event: EventFacts): boolean {
  return (
    (types === undefined || types.includes(event.type)) &&
    (actor === undefined || actor === event.actor) &&
    (subject === undefined || isBelow(subject, event.subject))
  );
}
