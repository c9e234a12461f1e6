import { openDatabase, type Sql, type Tables } from "@store/database";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import {
  decodeHeader,
  encodeHeader,
  openLog,
  replay,
  type EventLog,
  type Project,
  type StoredEvent,
} from "../src/index.ts";
import {
  appendAll,
  countTo,
  dialects,
  draft,
  openTestLog,
  textOf,
  type TestLog,
} from "./test-log.ts";

/** A small view: the seq at which each subject was last named, and what was said. */
const project: Project = async ({ sql, tables }, event) => {
  const name = event.subject;
  const durationDays = Number(textOf(event));
  const row = { name, durationDays, definedSeq: event.seq };
  const { retentionClasses } = tables;
  await sql
    .insert(retentionClasses)
    .values(row)
    .onConflictDoUpdate({ target: retentionClasses.name, set: row });
};

function record(log: EventLog, numbers: readonly number[]): Promise<StoredEvent[]> {
  return log.transact("tester", async (tx) => {
    const events: StoredEvent[] = [];
    for (const n of numbers) {
      const event = tx.append(draft(String(n), { subject: `subject ${n % 17}` }));
      await project(tx, event);
      events.push(event);
    }
    return events;
  });
}

const rowsOf = (sql: Sql, { retentionClasses }: Tables) =>
  sql.select().from(retentionClasses).orderBy(retentionClasses.name);

async function rebuild(
  { log, database }: Pick<TestLog, "log" | "database">,
  how: "compare" | "swap",
  projection: Project = project,
) {
  const scratch = await database.openScratch();
  try {
    const progress: { events: number; total: number }[] = [];
    const run = await replay(log, scratch, projection, { onProgress: (at) => progress.push(at) });
    const differences =
      how === "compare"
        ? await scratch.compare(["retentionClasses"], run.catchUp)
        : await scratch.swap(["retentionClasses"], run.catchUp);
    return { events: run.events, progress, differences: differences ?? [] };
  } finally {
    await scratch.close();
  }
}

describe.each(dialects)("replay on %s", (dialect) => {
  test("finds the views as they are, and says how far it is", async () => {
    await using place = await openTestLog(dialect);
    for (const n of countTo(10))
      await record(
        place.log,
        countTo(230).map((k) => k * n),
      );
    const { events, progress, differences } = await rebuild(place, "compare");
    expect(differences).toEqual([]);
    expect(events).toBe(2_300);
    expect(progress[0]).toEqual({ events: 1_000, total: 2_300 });
    expect(progress.at(-1)).toEqual({ events: 2_300, total: 2_300 });
  });

  test("finds what the events do not account for, and puts it right", async () => {
    await using place = await openTestLog(dialect);
    const { log, database } = place;
    await record(log, countTo(40));
    const right = await rowsOf(database.reader, database.tables);
    await database.write(async ({ sql, tables: { retentionClasses } }) => {
      await sql.delete(retentionClasses).where(eq(retentionClasses.name, "subject 1"));
      await sql
        .update(retentionClasses)
        .set({ durationDays: 99 })
        .where(eq(retentionClasses.name, "subject 2"));
      await sql.insert(retentionClasses).values({ name: "stray", definedSeq: 1 });
    });
    const { differences } = await rebuild(place, "compare");
    expect(differences).toMatchObject([{ table: "retentionClasses", count: 3 }]);
    await rebuild(place, "swap");
    expect(await rowsOf(database.reader, database.tables)).toEqual(right);
    expect((await rebuild(place, "compare")).differences).toEqual([]);
  });

  test("takes in what is appended meanwhile, here and elsewhere", async () => {
    await using place = await openTestLog(dialect);
    const other = await place.reopen();
    await record(place.log, countTo(1_500));
    let replaying = true;
    const write = async (log: EventLog) => {
      for (let n = 1; replaying; n += 1) await record(log, [n]);
    };
    const writing = [place.log, other.log].map(write);
    const compared = await rebuild(place, "compare");
    const swapped = await rebuild(place, "swap");
    replaying = false;
    await Promise.all(writing);
    expect(compared.differences).toEqual([]);
    expect(compared.events).toBeGreaterThanOrEqual(1_500);
    expect(swapped.events).toBeGreaterThanOrEqual(compared.events);
    expect((await rebuild(place, "compare")).differences).toEqual([]);
  });

  test("rebuilds nothing from a log that was tampered with", async () => {
    await using place = await openTestLog(dialect);
    const { log, database } = place;
    await record(log, countTo(20));
    const before = await rowsOf(database.reader, database.tables);
    const [event] = await log.read({ after: 8, limit: 1 });
    if (event === undefined) throw new Error("There is no event 9.");
    const raw = await openDatabase(place.url);
    const tamper = (values: Partial<StoredEvent>) =>
      raw.write(async ({ sql, tables: { events } }) => {
        await sql.update(events).set(values).where(eq(events.seq, 9));
      });
    const refused = async (reference: string) => {
      const failure = { code: "log_corrupt", context: { reference } };
      await expect(rebuild(place, "swap")).rejects.toMatchObject(failure);
      expect(await rowsOf(database.reader, database.tables)).toEqual(before);
    };
    await tamper({ payload: Uint8Array.of(0x38) });
    await refused("9");
    // In agreement with itself, but not with the tree.
    const header = encodeHeader({ ...decodeHeader(event.header), actor: "mallory" });
    await tamper({ payload: event.payload, header, actor: "mallory" });
    await refused("20");
    await tamper({ header: event.header, actor: event.actor });
    await rebuild(place, "swap");
    await raw.close();
  });

  test("stops at what projecting throws, and leaves the views alone", async () => {
    await using place = await openTestLog(dialect);
    const { log, database } = place;
    await record(log, countTo(20));
    const before = await rowsOf(database.reader, database.tables);
    const failing: Project = async (tx, event) => {
      if (event.seq === 11) throw new Error("no view for event 11");
      await project(tx, event);
    };
    await expect(rebuild(place, "swap", failing)).rejects.toThrow("no view for event 11");
    expect(await rowsOf(database.reader, database.tables)).toEqual(before);
    expect((await rebuild(place, "compare")).differences).toEqual([]);
  });
});

test("replay works on a database in memory", async () => {
  const database = await openDatabase("sqlite::memory:");
  try {
    await database.migrate();
    const log = await openLog(database);
    await record(log, countTo(50));
    expect((await rebuild({ log, database }, "compare")).differences).toEqual([]);
    await rebuild({ log, database }, "swap");
    expect(await rowsOf(database.reader, database.tables)).toHaveLength(17);
    await appendAll(log, [draft("1")]);
  } finally {
    await database.close();
  }
});
