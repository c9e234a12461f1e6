import type { Query, Sql, Tables } from "@store/database";
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
import { storedEvent, type EventPage } from "./stored-event.ts";

/**
 * Reads the first page of what `query` selects, following an index, and never holding more than
 * {@link pageLimits} allow. Events do not change, so its statements need no common snapshot.
 */
export async function readPage(sql: Sql, tables: Tables, query: EventQuery): Promise<EventPage> {
  const range = checkQuery(query);
  const { events } = tables;
  const filtered = await matchingSeqs(sql, tables, query, range);
  const candidates = filtered === undefined ? within(tables, range) : inArray(events.seq, filtered);
  const sizes = await sql
    .select({ seq: events.seq, sizeBytes: expression<number>`length(${events.payload})` })
    .from(events)
    .where(candidates)
    .orderBy(asc(events.seq))
    .limit(range.limit);
  const seqs = withinBudget(sizes);
  const complete = seqs.length === sizes.length && sizes.length < range.limit;
  if (seqs.length === 0) return { events: [], complete };
  const rows = await sql.select().from(events).where(among(tables, seqs)).orderBy(asc(events.seq));
  return { events: rows.map(storedEvent), complete };
}

/** As many of the first events as a page's bytes allow, and one at least. */
function withinBudget(sizes: readonly { seq: number; sizeBytes: number }[]): number[] {
  const seqs: number[] = [];
  let totalBytes = 0;
  for (const { seq, sizeBytes } of sizes) {
    totalBytes += sizeBytes;
    if (seqs.length > 0 && totalBytes > pageLimits.payloadBytes) break;
    seqs.push(seq);
  }
  return seqs;
}

function within({ events }: Tables, { after, before }: SeqRange): SQL | undefined {
  return and(gt(events.seq, after), lt(events.seq, before));
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
  sql: Sql,
  tables: Tables,
  query: EventQuery,
  range: SeqRange,
): Promise<number[] | undefined> {
  const scans = scansOf(sql, tables, query, range);
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
  sql: Sql,
  tables: Tables,
  query: EventQuery,
  range: SeqRange,
): (Query<{ seq: number }[]> & SQLWrapper)[] {
  const { events } = tables;
  const { types, subject, actor } = query;
  const scan = (...conditions: (SQL | undefined)[]) =>
    sql
      .select({ seq: events.seq })
      .from(events)
      .where(and(...conditions))
      .limit(range.limit);
  // Each of these walks (column, seq), where the places of one value lie in order.
  const inOrder = (...conditions: (SQL | undefined)[]) =>
    scan(...conditions, within(tables, range)).orderBy(asc(events.seq));
  const byActor = actor === undefined ? undefined : eq(events.actor, actor);
  const byType = types === undefined ? undefined : inArray(events.type, [...types]);
  if (subject !== undefined) {
    // The places of many subjects must be sorted. The sign keeps the planner from walking the
    // whole log in order instead, in the hope of meeting the subject soon.
    const seq = expression`+${events.seq}`;
    const unordered = and(gt(seq, range.after), lt(seq, range.before));
    const below = subjectRanges(subject).map(([from, to]) =>
      scan(gte(events.subject, from), lt(events.subject, to), byActor, byType, unordered).orderBy(
        asc(seq),
      ),
    );
    return [inOrder(eq(events.subject, subject), byActor, byType), ...below];
  }
  if (byActor !== undefined) return [inOrder(byActor, byType)];
  return [...new Set(types)].map((type) => inOrder(eq(events.type, type)));
}

/** The characters after which the rest of a subject lies below what stands before them. */
const subjectBoundaries = ["#", "/", ":", "@"];

/** The ranges, bytewise and each without its end, of the subjects that lie below `subject`. */
function subjectRanges(subject: string): [from: string, to: string][] {
  return subjectBoundaries.map((boundary) => {
    const next = String.fromCharCode(boundary.charCodeAt(0) + 1);
    return [subject + boundary, subject + next];
  });
}
