import { naiveMerkleRoot } from "@store/testing/merkle";
import { describe, expect, test } from "vitest";

import { decodeHeader, eventLimits, type EventDraft } from "../src/index.ts";
import {
  appendAll,
  appendEach,
  countTo,
  dialects,
  draft,
  hex,
  openTestLog,
  readWhole,
  seqsOf,
  textOf,
} from "./test-log.ts";

const refused: readonly [string, Partial<EventDraft>, string][] = [
  ["a type that is no v1.noun.verb", { type: "package.finalized" }, "invalid_event"],
  ["an empty subject", { subject: "" }, "invalid_event"],
  ["a subject of 1,025 bytes", { subject: "ü".repeat(512) + "a" }, "invalid_event"],
  ["a subject with a control character", { subject: "acme/app\n" }, "invalid_event"],
  [
    "a payload above the limit",
    { payload: new Uint8Array(eventLimits.payloadBytes + 1) },
    "limit_exceeded",
  ],
];

describe.each(dialects)("appending on %s", (dialect) => {
  test("stores header and payload as written, with columns that say the same", async () => {
    await using place = await openTestLog(dialect);
    const { log } = place;
    const appended = await appendAll(log, [draft("one"), draft("two")], "zoë");
    const stored = await readWhole(log);
    expect(stored).toEqual(appended);
    const { logId } = await log.head();
    for (const event of stored) {
      const { seq, id, type, occurredAt, actor, subject, payload, payloadSha256 } = event;
      const payloadSize = payload.byteLength;
      const header = { seq, id, type, occurredAt, actor, subject, payloadSha256, payloadSize };
      expect(decodeHeader(event.header)).toEqual({ logId, ...header });
    }
    expect(stored.map(textOf)).toEqual(["one", "two"]);
  });

  test("numbers events from 1 without a gap, in the order of their commits", async () => {
    await using place = await openTestLog(dialect);
    const answers: number[] = [];
    await Promise.all(
      countTo(100).map((n) =>
        place.log
          .transact("tester", async (tx) => tx.append(draft(String(n))))
          .then(({ seq }) => answers.push(seq)),
      ),
    );
    expect(answers).toEqual(countTo(100));
    expect(seqsOf(await readWhole(place.log))).toEqual(countTo(100));
  });

  test("keeps a tree whose root a naive implementation gives too", async () => {
    await using place = await openTestLog(dialect);
    for (const count of [1, 2, 5, 64, 130]) {
      await appendEach(
        place.log,
        countTo(count)
          .map(String)
          .map((text) => draft(text)),
      );
      const events = await readWhole(place.log);
      const head = await place.log.head();
      expect(head.size).toBe(events.length);
      expect(hex(head.root)).toBe(hex(naiveMerkleRoot(events.map(({ header }) => header))));
    }
  });

  test("leaves no gap where a command among others throws", async () => {
    await using place = await openTestLog(dialect);
    const outcomes = await Promise.allSettled(
      countTo(60).map((n) =>
        place.log.transact("tester", async (tx) => {
          const { seq } = tx.append(draft(`first of ${n}`));
          tx.append(draft(`second of ${n}`));
          if (n % 3 === 0) throw new Error(`${n} was refused`);
          return seq;
        }),
      ),
    );
    const failed = outcomes.filter(({ status }) => status === "rejected");
    expect(failed).toHaveLength(20);
    const events = await readWhole(place.log);
    expect(seqsOf(events)).toEqual(countTo(80));
    for (const [at, outcome] of outcomes.entries()) {
      const kept = outcome.status === "fulfilled" ? outcome.value : undefined;
      const found = events.find((event) => textOf(event) === `first of ${at + 1}`)?.seq;
      expect(found).toBe(kept);
    }
    await place.log.verify();
  });

  test("leaves the log alone where every command of a batch throws", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(place.log, [draft("kept")]);
    const before = await place.log.head();
    const refusing = place.log.transact("tester", async (tx) => {
      tx.append(draft("lost"));
      throw new Error("no");
    });
    await expect(refusing).rejects.toThrow("no");
    expect(await place.log.head()).toEqual(before);
    const [next] = await appendAll(place.log, [draft("next")]);
    expect(next?.seq).toBe(2);
  });

  test("records what else the command wrote, or neither", async () => {
    await using place = await openTestLog(dialect);
    const { log } = place;
    const define = (name: string, fails: boolean) =>
      log.transact("tester", async (tx) => {
        const { seq } = tx.append(draft(name));
        const row = { name, durationDays: null, definedSeq: seq };
        await tx.sql.insert(tx.tables.retentionClasses).values(row);
        if (fails) throw new Error("no");
      });
    await Promise.allSettled([define("one", false), define("two", true), define("three", false)]);
    const { reader, tables } = place.database;
    const rows = await reader.select().from(tables.retentionClasses);
    expect(rows.map(({ name, definedSeq }) => [definedSeq, name]).toSorted()).toEqual([
      [1, "one"],
      [2, "three"],
    ]);
    expect((await readWhole(log)).map(textOf)).toEqual(["one", "three"]);
  });

  test("gives the events of a command its one time, never below the last event's", async () => {
    const times = [5_000, 4_000, 4_999, 5_001];
    await using place = await openTestLog(dialect, { clock: () => times.shift() ?? 0 });
    const found: string[][] = [];
    for (const _ of countTo(4)) {
      const events = await place.log.transact("tester", async (tx) => {
        expect([tx.append(draft()), tx.append(draft())].map((e) => e.occurredAt)).toEqual([
          tx.now,
          tx.now,
        ]);
        return tx.now;
      });
      found.push([events]);
    }
    expect(found.flat()).toEqual([
      "1970-01-01T00:00:05.000Z",
      "1970-01-01T00:00:05.000Z",
      "1970-01-01T00:00:05.000Z",
      "1970-01-01T00:00:05.001Z",
    ]);
    await place.log.verify();
  });

  test.each(refused)("refuses %s, and the command with it", async (_, over, code) => {
    await using place = await openTestLog(dialect);
    const refusing = place.log.transact("tester", async (tx) => {
      tx.append(draft("before"));
      tx.append(draft("", over));
    });
    await expect(refusing).rejects.toMatchObject({ code });
    expect(await readWhole(place.log)).toEqual([]);
  });

  test.each(["", "a".repeat(257), "line\nfeed"])("refuses the actor %j", async (actor) => {
    await using place = await openTestLog(dialect);
    const refusing = appendAll(place.log, [draft()], actor);
    await expect(refusing).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("refuses an event that is appended after its command has ended", async () => {
    await using place = await openTestLog(dialect);
    let late: (() => void) | undefined;
    await place.log.transact("tester", async (tx) => {
      late = () => tx.append(draft("late"));
    });
    expect(() => late?.()).toThrow(expect.objectContaining({ code: "closed" }));
  });

  test("stores payloads of any bytes and sizes in one commit", async () => {
    await using place = await openTestLog(dialect);
    const sizes = [0, 1, 255, 256, 65_536, 5_000_000, 17_000_000, 3];
    const payloads = sizes.map((size) =>
      new Uint8Array(size).map((_, at) => (at * 7 + size) % 256),
    );
    await appendAll(
      place.log,
      payloads.map((payload) => draft("", { payload })),
    );
    let after = 0;
    for (const payload of payloads) {
      const [event] = await place.log.read({ after, limit: 1 });
      after += 1;
      expect(event?.seq).toBe(after);
      expect(Buffer.compare(event?.payload ?? new Uint8Array(), payload)).toBe(0);
    }
    await place.log.verify();
  });
});

describe.each(dialects)("a log on %s", (dialect) => {
  test("has no head before its first event", async () => {
    await using place = await openTestLog(dialect);
    await expect(place.log.head()).rejects.toMatchObject({ code: "instance_not_found" });
    await expect(place.log.verify()).rejects.toMatchObject({ code: "instance_not_found" });
    expect(await place.log.read({})).toEqual([]);
  });

  test("is initialized once, however many try at once", async () => {
    await using place = await openTestLog(dialect);
    const others = await Promise.all(countTo(3).map(() => place.reopen()));
    const births = [place, ...others].flatMap(({ log }) =>
      countTo(4).map(() =>
        log.initialize("tester", async (tx) => {
          tx.append(draft("born"));
          tx.append(draft("named"));
        }),
      ),
    );
    const outcomes = await Promise.all(births);
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect((await readWhole(place.log)).map(textOf)).toEqual(["born", "named"]);
    await place.log.verify();
  });

  test("keeps its id when it is opened again", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(place.log, [draft()]);
    const { logId } = await place.log.head();
    const again = await place.reopen();
    await appendAll(again.log, [draft()]);
    expect(await again.log.head()).toMatchObject({ logId, size: 2 });
  });

  test("is the same log where a database is opened twice, with ids and times of each", async () => {
    await using place = await openTestLog(dialect, { clock: () => 1_000 });
    const { openLog } = await import("../src/index.ts");
    const second = await openLog(place.database, { clock: () => 2_000 });
    const [one] = await appendAll(place.log, [draft()]);
    const [two] = await appendAll(second, [draft()]);
    expect([one?.seq, two?.seq]).toEqual([1, 2]);
    expect([one?.occurredAt, two?.occurredAt]).toEqual([
      "1970-01-01T00:00:01.000Z",
      "1970-01-01T00:00:02.000Z",
    ]);
  });
});
