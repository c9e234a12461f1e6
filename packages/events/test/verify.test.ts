import { openDatabase, type Sql, type Tables } from "@store/database";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { encodeHeader, decodeHeader } from "../src/index.ts";
import { appendAll, appendEach, countTo, dialects, draft, hex, openTestLog } from "./test-log.ts";

type Harm = (sql: Sql, tables: Tables) => PromiseLike<unknown>;

/** Changes one column of event 7. */
const set =
  (values: Partial<Tables["events"]["$inferSelect"]>): Harm =>
  (sql, { events }) =>
    sql.update(events).set(values).where(eq(events.seq, 7));

/** Rewrites the header of event 7 and its columns, so that they agree with one another. */
const rewrite =
  (fields: { actor: string }): Harm =>
  async (sql, { events }) => {
    const [row] = await sql.select().from(events).where(eq(events.seq, 7));
    if (row === undefined) throw new Error("There is no event 7.");
    const header = encodeHeader({ ...decodeHeader(row.header), ...fields });
    await sql
      .update(events)
      .set({ ...fields, header })
      .where(eq(events.seq, 7));
  };

/** What is done to a log of ten events, the event that is named, and what is said of it. */
const harms: readonly [string, Harm, string, RegExp][] = [
  ["an id", set({ id: "01890a5d-ac97-7d35-9a2e-0f1c2b3a4d5e" }), "7", /its id is "/],
  ["a type", set({ type: "v1.thing.undone" }), "7", /its type is "v1.thing.undone"/],
  ["a time", set({ occurredAt: "2020-01-01T00:00:00.000Z" }), "7", /its time is "2020/],
  ["an actor", set({ actor: "mallory" }), "7", /its actor is "mallory"/],
  ["a subject", set({ subject: "acme/other" }), "7", /its subject is "acme\/other/],
  ["an actor that breaks its rule", rewrite({ actor: "a\nb" }), "7", /its actor breaks the rule/],
  ["a payload", set({ payload: Uint8Array.of(1) }), "7", /SHA-256 of its payload is/],
  [
    "the size of a payload",
    set({ payload: Uint8Array.of(1, 2) }),
    "7",
    /size of its payload is "2"/,
  ],
  ["a header", set({ header: Uint8Array.of(1) }), "7", /its header cannot be read/],
  [
    "header and columns together",
    rewrite({ actor: "mallory" }),
    "10",
    /the events up to it have the root/,
  ],
  [
    "an event that is gone",
    (sql, { events }) => sql.delete(events).where(eq(events.seq, 7)),
    "7",
    /it is missing/,
  ],
  [
    "a last event that is gone",
    (sql, { events }) => sql.delete(events).where(eq(events.seq, 10)),
    "10",
    /it is missing/,
  ],
  ["a place", set({ seq: 11 }), "7", /it is missing/],
  [
    "an event that the head does not count",
    async (sql, { events }) => {
      const [row] = await sql.select().from(events).where(eq(events.seq, 7));
      const id = "01890a5d-ac97-7d35-9a2e-0f1c2b3a4d5e";
      if (row !== undefined) await sql.insert(events).values({ ...row, id, seq: 11 });
    },
    "11",
    /the head counts 10 events only/,
  ],
  [
    "a root",
    (sql, { logHead }) => sql.update(logHead).set({ root: new Uint8Array(32) }),
    "10",
    /have the root/,
  ],
  [
    "a frontier",
    (sql, { logHead }) => sql.update(logHead).set({ frontier: new Uint8Array(64) }),
    "10",
    /have another frontier/,
  ],
  [
    "the time of the last event",
    (sql, { logHead }) => sql.update(logHead).set({ lastOccurredAt: "2020-01-01T00:00:00.000Z" }),
    "10",
    /the head says .* of 2020/,
  ],
  [
    "the name of the log",
    (sql, { logHead }) =>
      sql.update(logHead).set({ logId: "01890a5d-ac97-7d35-9a2e-0f1c2b3a4d5e" }),
    "1",
    /the log is/,
  ],
  ["a head that is gone", (sql, { logHead }) => sql.delete(logHead), "1", /the log has no head/],
];

describe.each(dialects)("verifying on %s", (dialect) => {
  test("passes a log that is as it was written, while it grows", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(
      place.log,
      countTo(2_500)
        .map(String)
        .map((text) => draft(text)),
    );
    const growing = appendEach(
      place.log,
      countTo(50)
        .map(String)
        .map((text) => draft(text)),
    );
    const head = await place.log.verify();
    expect(head.size).toBeGreaterThanOrEqual(2_500);
    await growing;
    expect(hex((await place.log.verify()).root)).toBe(hex((await place.log.head()).root));
  });

  test.each(harms)("finds and names %s", async (_, harm, seq, reason) => {
    await using place = await openTestLog(dialect);
    const { log } = place;
    for (const n of countTo(10)) await appendAll(log, [draft(`${n % 10}`)]);
    await log.verify();
    // A database of its own, whose writer keeps no log.
    const raw = await openDatabase(place.url);
    await raw.write(async ({ sql, tables }) => {
      await harm(sql, tables);
    });
    await raw.close();
    const failure = expect.objectContaining({
      code: "log_corrupt",
      context: expect.objectContaining({ reference: seq }),
      message: expect.stringMatching(reason),
    });
    await expect(log.verify()).rejects.toEqual(failure);
  });

  test("refuses to append to a head whose frontier cannot be right", async () => {
    await using place = await openTestLog(dialect);
    const { log, database } = place;
    await appendAll(
      log,
      countTo(10)
        .map(String)
        .map((text) => draft(text)),
    );
    await database.write(async ({ sql, tables }) => {
      await sql.update(tables.logHead).set({ frontier: new Uint8Array(32) });
    });
    const appending = appendAll(log, [draft("11")]);
    await expect(appending).rejects.toMatchObject({ code: "log_corrupt" });
    await expect(log.verify()).rejects.toMatchObject({ code: "log_corrupt" });
  });
});
