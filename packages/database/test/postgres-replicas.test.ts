import {
  type PostgresServer,
  primarySettings,
  startPostgresServer,
  startPostgresStandby,
} from "@store/testing/postgres";
import { sql as text } from "drizzle-orm";
import postgres from "postgres";
import { expect, test } from "vitest";
import { type Database, openDatabase } from "../src/index.ts";
import {
  afterTest,
  createHead,
  migrateWithHead,
  newPlace,
  newSchema,
  openPlace,
} from "./dialects.ts";

/** Where a list is read now, and how long the log is there. */
async function listed({ lists, tables: { logHead } }: Database): Promise<string> {
  const [row] = await lists
    .select({ isReplica: text<boolean>`pg_is_in_recovery()`, size: logHead.size })
    .from(logHead);
  return `${row?.isReplica === true ? "replica" : "primary"} ${row?.size}`;
}

async function grow(database: Database): Promise<void> {
  const t = database.tables.logHead;
  await database.write((tx) => tx.sql.update(t).set({ size: text`${t.size} + 1` }));
}

async function onServer(server: PostgresServer, statement: string): Promise<void> {
  const sql = postgres(server.url, { max: 1 });
  await sql.unsafe(statement);
  await sql.end();
}

test("lists are read from a replica while it keeps up, and from the primary while it does not", async () => {
  const primary = await startPostgresServer({ settings: primarySettings });
  afterTest(() => primary.stop());
  await migrateWithHead(primary.url);
  const standby = await startPostgresStandby(primary);
  afterTest(() => standby.stop());
  const options = { replicaUrl: standby.url, replicaLagMs: 400 };
  const database = await openPlace(primary.url, options);
  const soon = (): ReturnType<typeof expect.poll> =>
    expect.poll(() => listed(database), { timeout: 20_000, interval: 20 });

  expect(await listed(database)).toBe("primary 0");
  await soon().toBe("replica 0");
  await grow(database);
  await soon().toBe("replica 1");

  // It stops applying what it gets: still up to date, until there is something to apply.
  await onServer(standby, "select pg_wal_replay_pause()");
  await grow(database);
  await soon().toBe("primary 2");
  await onServer(standby, "select pg_wal_replay_resume()");
  await soon().toBe("replica 2");

  await standby.end();
  await soon().toBe("primary 2");
  await standby.startAgain();
  await soon().toBe("replica 2");
  // Decisions and single reads never leave the primary.
  const { logHead } = database.tables;
  const read = database.reader.select({ isReplica: text`pg_is_in_recovery()` }).from(logHead);
  expect(await read).toEqual([{ isReplica: false }]);
});

test("a server that holds another log is never read from", async () => {
  const [url, other] = [await newSchema(), await newSchema()];
  const stranger = await openPlace(other.url);
  await stranger.write((tx) =>
    tx.sql.update(tx.tables.logHead).set({ logId: "stranger", size: 1_000 }),
  );
  const database = await openPlace(url.url, { replicaUrl: [other.url], replicaLagMs: 50 });
  for (let n = 0; n < 50; n += 1) {
    expect(await listed(database)).toBe("primary 0");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test("a replica that is not there delays nobody, and without one lists are plain reads", async () => {
  const url = await newPlace("PostgreSQL");
  const database = await openPlace(url, { replicaUrl: "postgres://store@127.0.0.1:1/store" });
  await database.migrate();
  await createHead(database);
  for (let n = 0; n < 20; n += 1) expect(await listed(database)).toBe("primary 0");
  const plain = await openPlace(url);
  expect(plain.lists).toBe(plain.reader);
  const sqlite = await openPlace("sqlite::memory:");
  expect(sqlite.lists).toBe(sqlite.reader);
  await expect(openDatabase("sqlite::memory:", { replicaUrl: url })).rejects.toMatchObject({
    code: "invalid_argument",
  });
});
