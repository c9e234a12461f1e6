import type { Database, Query, Tables } from "@store/database";
import {
  and,
  asc,
  eq,
  gt,
  gte,
  inArray,
  lt,
  sql as expression,
  type SQL,
  type SQLWrapper,
} from "drizzle-orm";

import { checkQuery, pageLimits, type EventQuery, type SeqRange } from "./query.ts";
import { storedEvent, type EventPage, type StoredEvent } from "./stored-event.ts";

/** Where a log is read. */
export type LogPlace = Pick<Database, "dialect" | "reader" | "tables">;

/**
 * Reads the first page of what `query` selects, following an index, and never holding more than
 * {@link pageLimits} allow. Events do not change, so its statements need no common snapshot.
 */
export async function readPage(place: LogPlace, query: EventQuery): Promise<EventPage> {
  const range = checkQuery(query);
  const { reader, tables } = place;
  const { events } = tables;
  const found = await matchingSeqs(place, query, range);
  const candidates =
    found === undefined ? within(expression`${events.seq}`, range) : inArray(events.seq, found);
  const sizes = await reader
    .select({ seq: events.seq, sizeBytes: expression<number>`length(${events.payload})` })
    .from(events)
    .where(candidates)
    .orderBy(asc(events.seq))
    .limit(range.limit);
  const seqs = withinBudget(sizes);
  const complete = seqs.length === sizes.length && sizes.length < range.limit;
  return { events: await readSeqs(place, seqs), complete };
}

/** The events at these places, which are in order. */
export async function readSeqs(
  { reader, tables }: LogPlace,
  seqs: readonly number[],
): Promise<StoredEvent[]> {
  if (seqs.length === 0) return [];
  const rows = await reader
    .select()
    .from(tables.events)
    .where(among(tables, seqs))
    .orderBy(asc(tables.events.seq));
  return rows.map(storedEvent);
}

/** As many of the first events as a page's bytes allow, and one at least. */
export function withinBudget(sizes: readonly { seq: number; sizeBytes: number }[]): number[] {
  const seqs: number[] = [];
  let totalBytes = 0;
  for (const { seq, sizeBytes } of sizes) {
    totalBytes += sizeBytes;
    if (seqs.length > 0 && totalBytes > pageLimits.payloadBytes) break;
    seqs.push(seq);
  }
  return seqs;
}

function among({ events }: Tables, seqs: readonly number[]): SQL | undefined {
  const first = seqs[0] ?? 0;
  const last = seqs.at(-1) ?? 0;
  // Without gaps, which is so wherever nothing is filtered out, a range says the same.
  return last - first + 1 === seqs.length
    ? and(gte(events.seq, first), lt(events.seq, last + 1))
    : inArray(events.seq, [...seqs]);
}

/** The first matching places in order, or undefined where nothing is filtered. */
async function matchingSeqs(
  place: LogPlace,
  query: EventQuery,
  range: SeqRange,
): Promise<number[] | undefined> {
  const scans = scansOf(place, query, range);
  if (scans.length === 0) return undefined;
  const found = await Promise.all(scans);
  const seqs = found.flat().map(({ seq }) => seq);
  return seqs.toSorted((one, other) => one - other).slice(0, range.limit);
}

/**
 * The index scans that together find what a query selects; several, since no index keeps the
 * order of the log across types or subjects. Each gives its own first places in order.
 */
export function scansOf(
  place: LogPlace,
  query: EventQuery,
  range: SeqRange,
): (Query<{ seq: number }[]> & SQLWrapper)[] {
  const { events } = place.tables;
  const { types, subject, actor } = query;
  // What narrows a scan is an expression, lest it draw the planner to another index.
  const byActor = actor === undefined ? undefined : eq(unindexed(events.actor), actor);
  const byType = types === undefined ? undefined : inArray(unindexed(events.type), [...types]);
  const scan = (condition: SQL | undefined, order: SQL[], ...narrower: (SQL | undefined)[]) =>
    place.reader
      .select({ seq: events.seq })
      .from(events)
      .where(and(condition, ...narrower))
      .orderBy(...order)
      .limit(range.limit);
  const of = (column: TextColumn, value: string, ...narrower: (SQL | undefined)[]) => {
    const { condition, order } = placesOf(place, column, value, range);
    return scan(condition, order, ...narrower);
  };
  if (subject !== undefined) {
    const below = subjectRanges(subject).map((subjects) => {
      const { condition, order } = placesBetween(place, subjects, range);
      return scan(condition, order, byActor, byType);
    });
    return [of(events.subject, subject, byActor, byType), ...below];
  }
  if (actor !== undefined) return [of(events.actor, actor, byType)];
  return [...new Set(types)].map((type) => of(events.type, type));
}

interface Places {
  readonly condition: SQL | undefined;
  readonly order: SQL[];
}

/** The places of one value, which its index holds in order. */
function placesOf(
  { dialect, tables: { events } }: LogPlace,
  column: TextColumn,
  value: string,
  range: SeqRange,
): Places {
  if (dialect === "sqlite") {
    return {
      condition: and(eq(column, value), within(expression`${events.seq}`, range)),
      order: [asc(events.seq)],
    };
  }
  // Told the same, PostgreSQL may walk the whole log in order, in the hope of meeting the value
  // soon. Bounds on the pair fit one index only; SQLite would use but half of them.
  const pair = expression`(${column}, ${events.seq})`;
  const above = expression`${pair} > (${value}, ${range.after})`;
  const below = expression`${pair} < (${value}, ${range.before})`;
  return { condition: and(above, below), order: [asc(column), asc(events.seq)] };
}

/** The places of a range of subjects, which have to be sorted; the sign says so to planners. */
function placesBetween(
  { tables: { events } }: LogPlace,
  [from, to]: readonly [string, string],
  range: SeqRange,
): Places {
  const seq = expression`+${events.seq}`;
  const subjects = and(gte(events.subject, from), lt(events.subject, to));
  return { condition: and(subjects, within(seq, range)), order: [asc(seq)] };
}

type TextColumn = Tables["events"]["type" | "subject" | "actor"];

function within(seq: SQL, { after, before }: SeqRange): SQL | undefined {
  return and(gt(seq, after), lt(seq, before));
}

/** The same text, of which no index knows. */
function unindexed(column: TextColumn): SQL {
  return expression`${column} || ''`;
}

/** The characters after which the rest of a subject lies below what stands before them. */
const subjectBoundaries = ["#", "/", ":", "@"];

/** Whether an event's subject is `subject` or lies below it. */
export function isBelow(subject: string, of: string): boolean {
  if (!of.startsWith(subject)) return false;
  return of.length === subject.length || subjectBoundaries.includes(of.charAt(subject.length));
}

/** The ranges, bytewise and each without its end, of the subjects that lie below `subject`. */
function subjectRanges(subject: string): [from: string, to: string][] {
  return subjectBoundaries.map((boundary) => {
    const next = String.fromCharCode(boundary.charCodeAt(0) + 1);
    return [subject + boundary, subject + next];
  });
}
