import { openDatabase } from "@store/database";
import { startLossyProxy, type LossyProxy } from "@store/testing/lossy-proxy";
import { createTestDatabase } from "@store/testing/postgres";
import { expect, test } from "vitest";

import { openLog, type EventLog } from "../src/index.ts";
import { appendAll, appendEach, countTo, draft, readWhole, seqsOf, textOf } from "./test-log.ts";

/** Runs `work` over a log on PostgreSQL that holds one event, behind a proxy that loses commits. */
async function withLossyLog(
  work: (log: EventLog, proxy: LossyProxy) => Promise<void>,
): Promise<void> {
  const place = await createTestDatabase();
  const proxy = await startLossyProxy(place.url);
  const database = await openDatabase(proxy.url);
  try {
    await database.migrate();
    const log = await openLog(database);
    await appendAll(log, [draft("before")]);
    await work(log, proxy);
    await log.verify();
  } finally {
    await database.close();
    await proxy.close();
    await place.drop();
  }
}

test("a batch whose answer to COMMIT is lost is looked for, found and acknowledged", async () => {
  await withLossyLog(async (log, proxy) => {
    proxy.loseNextCommit("answer");
    const events = await appendEach(
      log,
      countTo(10)
        .map(String)
        .map((text) => draft(text)),
    );
    expect(seqsOf(events)).toEqual(countTo(11).slice(1));
    await appendAll(log, [draft("after")]);
    const expected = ["before", ...countTo(10).map(String), "after"];
    expect((await readWhole(log)).map(textOf)).toEqual(expected);
  });
});

test("a batch whose COMMIT is lost on its way is looked for, missed and refused", async () => {
  await withLossyLog(async (log, proxy) => {
    proxy.loseNextCommit("request");
    const appending = appendAll(log, [draft("lost")]);
    await expect(appending).rejects.toMatchObject({ code: "database_unavailable" });
    const [after] = await appendAll(log, [draft("after")]);
    expect(after?.seq).toBe(2);
    expect((await readWhole(log)).map(textOf)).toEqual(["before", "after"]);
  });
});

test("a batch without events leaves nothing to look for, and its outcome is unknown", async () => {
  await withLossyLog(async (log, proxy) => {
    proxy.loseNextCommit("answer");
    const writing = log.transact("tester", async ({ sql, tables }) => {
      await sql.insert(tables.retentionClasses).values({ name: "kept", definedSeq: 1 });
    });
    await expect(writing).rejects.toMatchObject({ code: "commit_unknown" });
  });
});
