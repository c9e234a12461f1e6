import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import type { EventLog, StoredEvent } from "../src/index.ts";
import {
  appendAll,
  appendEach,
  countTo,
  dialects,
  draft,
  openTestLog,
  readWhole,
  seqsOf,
  take,
} from "./test-log.ts";

const drafts = countTo(11).map((each) => draft(`payload ${each}`, { subject: `acme/app${each}` }));
const nothing = async () => {};

/** Takes everything over that `to` lacks, `count` events at a time. */
async function takeAll(from: EventLog, to: EventLog, count: number): Promise<void> {
  const { logId } = await from.head();
  const events = await readWhole(from);
  for (let at = 0; at < events.length; at += count) {
    await to.takeOver({ logId, events: events.slice(at, at + count) }, nothing);
  }
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "nothing thrown",
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );

describe.each(dialects)("a log on %s that takes over another", (dialect) => {
  const other = dialect === "sqlite" ? "postgres" : "sqlite";

  test("has its bytes, its columns and its head, however they are parted", async () => {
    await using source = await openTestLog(other);
    await appendEach(source.log, drafts.slice(0, 6));
    await appendAll(source.log, drafts.slice(6), "ada");
    for (const count of [1, 4, 11]) {
      await using target = await openTestLog(dialect);
      await takeAll(source.log, target.log, count);
      expect(await readWhole(target.log)).toEqual(await readWhole(source.log));
      expect(await target.log.head()).toEqual(await source.log.head());
      expect(await target.log.verify()).toEqual(await source.log.verify());
      const [row] = await target.database.reader.select().from(target.database.tables.logHead);
      const [original] = await source.database.reader.select().from(source.database.tables.logHead);
      expect(row).toEqual(original);
    }
  });

  test("goes on as the same log, by events of its own", async () => {
    await using source = await openTestLog(other);
    await appendAll(source.log, drafts);
    await using target = await openTestLog(dialect);
    await takeAll(source.log, target.log, 5);
    const [own] = await appendAll(target.log, [draft("own")]);
    expect(own?.seq).toBe(12);
    expect((await target.log.verify()).logId).toBe((await source.log.head()).logId);
  });

  test("answers with the head, runs what projects once, and wakes who follows", async () => {
    await using source = await openTestLog(other);
    await appendAll(source.log, drafts);
    await using target = await openTestLog(dialect);
    const { logId } = await source.log.head();
    const events = await readWhole(source.log);
    await target.log.takeOver({ logId, events: events.slice(0, 1) }, nothing);
    const following = take(target.log.tail({ since: 1 }), 10);
    let projected = 0;
    const head = await target.log.takeOver({ logId, events: events.slice(1) }, async (tx) => {
      projected += 1;
      const row = { name: "short", durationDays: 7, definedSeq: 1 };
      await tx.sql.insert(tx.tables.retentionClasses).values(row);
    });
    expect(head).toEqual(await source.log.head());
    expect(projected).toBe(1);
    expect(seqsOf(await following)).toEqual(countTo(11).slice(1));
  });

  test("keeps nothing where projecting fails", async () => {
    await using source = await openTestLog(other);
    await appendAll(source.log, drafts);
    await using target = await openTestLog(dialect);
    const { logId } = await source.log.head();
    const events = await readWhole(source.log);
    const failing = target.log.takeOver({ logId, events }, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await codeOf(target.log.head())).toBe("instance_not_found");
    await takeAll(source.log, target.log, 11);
    expect(await target.log.head()).toEqual(await source.log.head());
  });

  test("refuses another log, a gap, what it has already, and nothing", async () => {
    await using source = await openTestLog(other);
    await appendAll(source.log, drafts);
    await using target = await openTestLog(dialect);
    const { logId } = await source.log.head();
    const events = await readWhole(source.log);
    const takeOver = (taken: readonly StoredEvent[], id = logId) =>
      codeOf(target.log.takeOver({ logId: id, events: taken }, nothing));
    expect(await takeOver(events.slice(1))).toBe("precondition_failed");
    await target.log.takeOver({ logId, events: events.slice(0, 3) }, nothing);
    expect(await takeOver(events.slice(2))).toBe("precondition_failed");
    expect(await takeOver(events.slice(4))).toBe("precondition_failed");
    expect(await takeOver(events.slice(3), "01890a5d-ac97-7d35-9a2e-0f1c2b3a4d5e")).toBe(
      "precondition_failed",
    );
    expect(await takeOver([])).toBe("invalid_argument");
    expect(await takeOver([events[3], events[5]].filter((event) => event !== undefined))).toBe(
      "log_corrupt",
    );
    expect(await target.log.headAt(3)).toEqual(await target.log.head());
  });

  test.each([
    ["payload", { payload: Uint8Array.of(1) }],
    ["header", { header: Uint8Array.of(1) }],
    ["actor", { actor: "mallory" }],
    ["time", { occurredAt: "2020-01-01T00:00:00.000Z" }],
  ])("refuses an event with another %s than was written", async (_what, harm) => {
    await using source = await openTestLog(other);
    await appendAll(source.log, drafts);
    await using target = await openTestLog(dialect);
    const { logId } = await source.log.head();
    const events = (await readWhole(source.log)).map((event) =>
      event.seq === 7 ? { ...event, ...harm } : event,
    );
    const taking = target.log.takeOver({ logId, events }, nothing);
    await expect(taking).rejects.toMatchObject({
      code: "log_corrupt",
      context: { reference: "7" },
    });
    expect(await codeOf(target.log.head())).toBe("instance_not_found");
  });

  test("knows the head that it had at any size", async () => {
    await using source = await openTestLog(dialect);
    const { log, database } = source;
    const heads = [];
    for (const each of drafts) {
      await appendAll(log, [each]);
      heads.push(await log.head());
    }
    for (const head of heads) expect(await log.headAt(head.size)).toEqual(head);
    expect((await log.headAt(0)).frontier).toEqual([]);
    expect(await codeOf(log.headAt(12))).toBe("log_corrupt");
    await database.write(async ({ sql, tables: { events } }) => {
      await sql.delete(events).where(eq(events.seq, 4));
    });
    expect(await log.headAt(3)).toEqual(heads[2]);
    expect(await codeOf(log.headAt(11))).toBe("log_corrupt");
  });
});
