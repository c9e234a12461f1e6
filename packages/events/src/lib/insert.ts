import {
  statement,
  type Changes,
  type Sql,
  type Statement,
  type StatementValues,
} from "@store/database";

import type { StoredEvent } from "./stored-event.ts";

type InsertRows = Statement<StatementValues, Changes>;

/** The numbers of rows for which there is a statement, so that few are ever built. */
const rowCounts = [64, 32, 16, 8, 4, 2, 1] as const;
// A payload may travel as hexadecimal text, so what is under way is in memory twice over.
const maxBytesUnderWay = 16 * 1024 * 1024;

const statements = new Map<number, InsertRows>();

/** Inserts the events of a batch, many to a statement, and statements without waiting. */
export async function insertEvents(sql: Sql, gathered: readonly StoredEvent[]): Promise<void> {
  let underWay: Promise<Changes>[] = [];
  let underWayBytes = 0;
  for (let start = 0; start < gathered.length;) {
    const rows = nextRows(gathered, start);
    const sizeBytes = payloadBytes(rows);
    if (underWayBytes > 0 && underWayBytes + sizeBytes > maxBytesUnderWay) {
      await Promise.all(underWay);
      underWay = [];
      underWayBytes = 0;
    }
    underWay.push(insertOf(rows.length)(sql, valuesOf(rows)));
    underWayBytes += sizeBytes;
    start += rows.length;
  }
  await Promise.all(underWay);
}

function payloadBytes(rows: readonly StoredEvent[]): number {
  return rows.reduce((total, { payload }) => total + payload.byteLength, 0);
}

/** As many rows from `start` as one statement takes. */
function nextRows(gathered: readonly StoredEvent[], start: number): readonly StoredEvent[] {
  const left = gathered.length - start;
  for (const count of rowCounts) {
    if (count > left) continue;
    const rows = gathered.slice(start, start + count);
    if (count === 1 || payloadBytes(rows) <= maxBytesUnderWay) return rows;
  }
  return [];
}

function insertOf(count: number): InsertRows {
  let insert = statements.get(count);
  if (insert === undefined) {
    insert = statement((sql, { events }, p) => {
      const row = (at: number) => ({
        seq: p(`seq${at}`),
        id: p(`id${at}`),
        type: p(`type${at}`),
        occurredAt: p(`occurredAt${at}`),
        actor: p(`actor${at}`),
        subject: p(`subject${at}`),
        header: p(`header${at}`),
        payload: p(`payload${at}`),
      });
      return sql.insert(events).values(Array.from({ length: count }, (_, at) => row(at)));
    });
    statements.set(count, insert);
  }
  return insert;
}

function valuesOf(rows: readonly StoredEvent[]): StatementValues {
  const values: Record<string, unknown> = {};
  for (const [at, event] of rows.entries()) {
    values[`seq${at}`] = event.seq;
    values[`id${at}`] = event.id;
    values[`type${at}`] = event.type;
    values[`occurredAt${at}`] = event.occurredAt;
    values[`actor${at}`] = event.actor;
    values[`subject${at}`] = event.subject;
    values[`header${at}`] = event.header;
    values[`payload${at}`] = event.payload;
  }
  return values;
}
