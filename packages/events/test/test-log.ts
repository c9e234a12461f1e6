import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDatabase, type Database } from "@store/database";
import { createTestDatabase } from "@store/testing/postgres";

import {
  openLog,
  type EventDraft,
  type EventLog,
  type LogOptions,
  type StoredEvent,
} from "../src/index.ts";

export type Dialect = "sqlite" | "postgres";
export const dialects: readonly Dialect[] = ["sqlite", "postgres"];

/** A log in a real, migrated database of its own. */
export interface TestLog extends AsyncDisposable {
  readonly url: string;
  readonly database: Database;
  readonly log: EventLog;
  /** The same log on connections of its own, as another process opens it. */
  reopen(options?: LogOptions): Promise<{ readonly database: Database; readonly log: EventLog }>;
}

export async function openTestLog(dialect: Dialect, options: LogOptions = {}): Promise<TestLog> {
  const place = await (dialect === "sqlite" ? sqlitePlace() : postgresPlace());
  const opened: Database[] = [];
  const reopen = async (more: LogOptions = {}) => {
    const database = await openDatabase(place.url);
    opened.push(database);
    if ((await database.schemaVersion()) === 0) await database.migrate();
    return { database, log: await openLog(database, more) };
  };
  const { database, log } = await reopen(options);
  return {
    url: place.url,
    database,
    log,
    reopen,
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((one) => one.close()));
      await place.remove();
    },
  };
}

interface Place {
  readonly url: string;
  remove(): Promise<void>;
}

async function sqlitePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "store-events-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  return { url: `sqlite:${join(folder, "store.db")}`, remove };
}

async function postgresPlace(): Promise<Place> {
  const { url, drop } = await createTestDatabase();
  return { url, remove: drop };
}

/** A draft of little interest; its payload is the text. */
export function draft(text = "", over: Partial<EventDraft> = {}): EventDraft {
  const payload = new TextEncoder().encode(text);
  return { type: "v1.thing.done", subject: "acme/app", payload, ...over };
}

/** Appends each draft in a transaction of its own, all of them at once. */
export function appendEach(
  log: EventLog,
  drafts: readonly EventDraft[],
  actor = "tester",
): Promise<StoredEvent[]> {
  const append = (one: EventDraft) => log.transact(actor, async (tx) => tx.append(one));
  return Promise.all(drafts.map(append));
}

/** Appends all drafts in one transaction. */
export function appendAll(
  log: EventLog,
  drafts: readonly EventDraft[],
  actor = "tester",
): Promise<StoredEvent[]> {
  return log.transact(actor, async (tx) => drafts.map((one) => tx.append(one)));
}

/** Every event of the log, read page by page. */
export async function readWhole(log: EventLog): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await log.read({ after: events.length, limit: 1_000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** The first `count` events of a tail. */
export async function take(
  tail: AsyncIterable<StoredEvent>,
  count: number,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  if (count === 0) return events;
  for await (const event of tail) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

export const seqsOf = (events: readonly StoredEvent[]): number[] => events.map(({ seq }) => seq);
export const textOf = ({ payload }: StoredEvent): string => new TextDecoder().decode(payload);
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const countTo = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => index + 1);
