import { setTimeout as sleep } from "node:timers/promises";

import { openDatabase } from "@store/database";
import { isStoreError } from "@store/identity";
import { createLosableDatabase } from "@store/testing/connection-loss";
import { account, rounds } from "@store/testing/prove";
import { expect, test } from "vitest";

import { openLog, type EventLog } from "../src/index.ts";
import { appendAll, countTo, draft, readWhole, seqsOf, take, textOf } from "./test-log.ts";

/** Runs `work` over a log on PostgreSQL whose connections it can cut. */
async function withLosableLog(
  work: (log: EventLog, loseConnections: () => Promise<number>) => Promise<void>,
): Promise<void> {
  const place = await createLosableDatabase();
  const database = await openDatabase(place.url);
  try {
    await database.migrate();
    await work(await openLog(database), place.loseConnections);
  } finally {
    await database.close();
    await place.drop();
  }
}

/** Appends `text` until it is known to be in the log; says how often that was not known. */
async function appendAtLast(log: EventLog, text: string): Promise<number> {
  for (let unknown = 0; ;) {
    try {
      await appendAll(log, [draft(text)]);
      return unknown;
    } catch (error) {
      if (isStoreError(error, "commit_unknown")) unknown += 1;
      else if (!isStoreError(error, "database_unavailable")) throw error;
      await sleep(5);
    }
  }
}

test("a tail goes on where it was when its connections are lost, without a wake-up", async () => {
  await withLosableLog(async (log, loseConnections) => {
    await appendAll(log, [draft("1")]);
    const tail = log.tail({ since: 0 })[Symbol.asyncIterator]();
    const texts: string[] = [];
    const next = async () => {
      const { value } = await tail.next();
      if (value !== undefined) texts.push(textOf(value));
    };
    await next();
    const waiting = next();
    // It waits and listens by now.
    await sleep(100);
    expect(await loseConnections()).toBeGreaterThan(1);
    await appendAtLast(log, "2");
    await waiting;
    await loseConnections();
    await appendAtLast(log, "3");
    await next();
    expect(texts).toEqual(["1", "2", "3"]);
    await tail.return?.();
  });
});

test("what was acknowledged is there once, however often connections are lost", async () => {
  await withLosableLog(async (log, loseConnections) => {
    const losses = rounds(100);
    const writers = 16;
    const acknowledged: string[] = [];
    let unknown = 0;
    const enough = new AbortController();
    const write = async (writer: number) => {
      for (let n = 1; !enough.signal.aborted; n += 1) {
        const text = `${writer}/${n}`;
        unknown += await appendAtLast(log, text);
        acknowledged.push(text);
      }
    };
    const writes = Promise.all(countTo(writers).map(write));
    for (let cut = 0, round = 0; cut < losses; round += 1) {
      await sleep(20 + ((round * 7) % 13));
      cut += await loseConnections();
    }
    enough.abort();
    await writes;

    const stored = (await readWhole(log)).map(textOf);
    const repeated = stored.length - new Set(stored).size;
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(new Set(stored)).toEqual(new Set(acknowledged));
    // Only who was told that the outcome is unknown may have appended once more.
    expect(repeated).toBeLessThanOrEqual(unknown);
    const { size } = await log.verify();
    expect(seqsOf(await take(log.tail({ since: 0 }), size))).toEqual(countTo(size));
    account("lost connections", { losses, events: size, unknown });
  });
});
