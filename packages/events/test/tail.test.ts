import { describe, expect, test } from "vitest";

import type { StoredEvent } from "../src/index.ts";
import {
  appendAll,
  appendEach,
  countTo,
  dialects,
  draft,
  openTestLog,
  seqsOf,
  take,
  textOf,
} from "./test-log.ts";

describe.each(dialects)("a tail on %s", (dialect) => {
  test("gives what is there and then what is appended, in this process or another", async () => {
    await using place = await openTestLog(dialect);
    const other = await place.reopen();
    await appendAll(place.log, [draft("1"), draft("2"), draft("3")]);
    const tailing = take(place.log.tail({ since: 1, batchSize: 1 }), 6);
    await appendAll(place.log, [draft("4")]);
    await appendAll(other.log, [draft("5")]);
    await appendAll(place.log, [draft("6"), draft("7")]);
    expect((await tailing).map(textOf)).toEqual(["2", "3", "4", "5", "6", "7"]);
  });

  test("waits for a log that has not begun", async () => {
    await using place = await openTestLog(dialect);
    const other = await place.reopen();
    const tailing = take(place.log.tail({ since: 0 }), 1);
    await appendAll(other.log, [draft("first")]);
    expect((await tailing).map(textOf)).toEqual(["first"]);
  });

  test("sees each event once and in order beside many writers", async () => {
    await using place = await openTestLog(dialect);
    const other = await place.reopen();
    const count = 400;
    const tails = [
      take(place.log.tail({ since: 0 }), count),
      take(other.log.tail({ since: 0, batchSize: 7 }), count),
      take(place.log.tail({ since: 0, batchSize: 1 }), count),
    ];
    const half = countTo(count / 2).map((n) => draft(String(n)));
    await Promise.all([appendEach(place.log, half), appendEach(other.log, half)]);
    for (const tail of tails) expect(seqsOf(await tail)).toEqual(countTo(count));
  });

  test("never shows an event whose transaction failed", async () => {
    await using place = await openTestLog(dialect);
    const tailing = take(place.log.tail({ since: 0 }), 50);
    await Promise.allSettled(
      countTo(100).map((n) =>
        place.log.transact("tester", async (tx) => {
          tx.append(draft(n % 2 === 0 ? "kept" : "lost"));
          if (n % 2 === 1) throw new Error("no");
        }),
      ),
    );
    expect((await tailing).map(textOf)).toEqual(Array.from({ length: 50 }, () => "kept"));
  });

  test("of some types leaves out the others and stays behind none", async () => {
    await using place = await openTestLog(dialect);
    const kinds = ["v1.tag.set", "v1.tag.removed", "v1.file.added"];
    const types = kinds.slice(0, 2);
    const tailing = take(place.log.tail({ since: 0, types, batchSize: 3 }), 40);
    const drafts = countTo(60).map((n) => draft(String(n), { type: kinds[n % 3] ?? "" }));
    await appendEach(place.log, drafts.slice(0, 30));
    await appendEach(place.log, drafts.slice(30));
    const expected = countTo(60).filter((n) => n % 3 !== 2);
    expect((await tailing).map(textOf)).toEqual(expected.map(String));
  });

  test("ends without an error when its signal is aborted, waiting or between events", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(place.log, [draft("1"), draft("2"), draft("3")]);
    const waiting = new AbortController();
    const seen: StoredEvent[] = [];
    for await (const event of place.log.tail({ since: 0, signal: waiting.signal })) {
      seen.push(event);
      if (event.seq === 3) setTimeout(() => waiting.abort(), 20);
    }
    expect(seqsOf(seen)).toEqual([1, 2, 3]);

    const between = new AbortController();
    const some: StoredEvent[] = [];
    for await (const event of place.log.tail({ since: 0, signal: between.signal })) {
      some.push(event);
      between.abort();
    }
    expect(seqsOf(some)).toEqual([1]);

    const never: StoredEvent[] = [];
    const aborted = place.log.tail({ since: 0, signal: AbortSignal.abort() });
    for await (const event of aborted) never.push(event);
    expect(never).toEqual([]);
  });

  test("ends when its iterator is returned while it waits", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(place.log, [draft("1")]);
    const tail = place.log.tail({ since: 1 })[Symbol.asyncIterator]();
    const next = tail.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await tail.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test("can be begun again where another one stopped", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(
      place.log,
      countTo(20)
        .map(String)
        .map((text) => draft(text)),
    );
    const first = await take(place.log.tail({ since: 0, batchSize: 8 }), 11);
    const rest = await take(place.log.tail({ since: first.at(-1)?.seq ?? 0 }), 9);
    expect(seqsOf([...first, ...rest])).toEqual(countTo(20));
  });

  test("cannot begin beyond the end of the log", async () => {
    await using place = await openTestLog(dialect);
    await appendAll(place.log, [draft("1")]);
    const tailing = take(place.log.tail({ since: 2 }), 1);
    await expect(tailing).rejects.toMatchObject({ code: "invalid_argument" });
    expect(() => place.log.tail({ since: -1 })).toThrow(/since/);
  });

  test("ends with an error when its database is closed", async () => {
    await using place = await openTestLog(dialect);
    const other = await place.reopen();
    await appendAll(place.log, [draft("1")]);
    const tailing = take(other.log.tail({ since: 0 }), 2);
    const outcome = expect(tailing).rejects.toMatchObject({ code: "closed" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await other.database.close();
    await outcome;
  });
});
