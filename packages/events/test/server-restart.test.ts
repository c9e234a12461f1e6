import { openDatabase } from "@store/database";
import { startPostgresServer } from "@store/testing/postgres";
import { expect, test } from "vitest";

import { openLog } from "../src/index.ts";
import { appendAll, draft, textOf } from "./test-log.ts";

test("tails go on in order when the database was away, and hear of what others append", async () => {
  const server = await startPostgresServer();
  await using closing = new AsyncDisposableStack();
  closing.defer(() => server.stop());
  const open = async () => {
    const database = await openDatabase(server.url);
    closing.defer(() => database.close());
    if ((await database.schemaVersion()) === 0) await database.migrate();
    return await openLog(database);
  };
  const [here, elsewhere] = [await open(), await open()];
  await appendAll(elsewhere, [draft("1")]);
  const stopping = new AbortController();
  const heard: string[][] = [[], []];
  const tails = heard.map(async (texts) => {
    for await (const event of here.tail({ since: 0, signal: stopping.signal })) {
      texts.push(textOf(event));
    }
  });
  const expected = ["1"];
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([expected, expected]);
  for (const how of ["at once", "in order"] as const) {
    await server.end(how);
    await expect(here.head()).rejects.toMatchObject({ code: "database_unavailable" });
    await server.startAgain();
    const text = `after ${how}`;
    const append = (): Promise<unknown> =>
      appendAll(elsewhere, [draft(text)]).then(() => "appended", String);
    await expect.poll(append, { timeout: 30_000 }).toBe("appended");
    expected.push(text);
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual([expected, expected]);
  }
  stopping.abort();
  await Promise.all(tails);
});
