import type { TestDatabase } from "@store/testing/postgres";
import { sql as text } from "drizzle-orm";
import postgres from "postgres";
import { expect, test } from "vitest";
import { type Database, type Sql, openDatabase } from "../src/index.ts";
import { newSchema, openPlace } from "./dialects.ts";
import { silentProxyTo } from "./silent-proxy.ts";

/** A read that lasts as long as is wanted. */
function slowRead(
  { reader, tables: { logHead } }: Database,
  seconds: number,
): PromiseLike<unknown> {
  return reader.select({ slept: text`pg_sleep(${seconds}::float8)` }).from(logHead);
}

async function define(sql: Sql, database: Database, name: string): Promise<void> {
  await sql.insert(database.tables.retentionClasses).values({ name, definedSeq: 1 });
}

async function names(database: Database): Promise<string[]> {
  const t = database.tables.retentionClasses;
  const rows = await database.reader.select({ name: t.name }).from(t).orderBy(t.name);
  return rows.map(({ name }) => name);
}

test("a read that takes too long is ended by the server", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url, { statementTimeoutMs: 100 });
  await expect(slowRead(database, 30)).rejects.toMatchObject({ code: "database_unavailable" });
  expect(await names(database)).toEqual([]);
});

test("a statement of a command that takes too long fails that command alone", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url, { writeStatementTimeoutMs: 100 });
  const { logHead } = database.tables;
  const outcomes = await Promise.allSettled([
    database.write((tx) => define(tx.sql, database, "a")),
    database.write((tx) => tx.sql.select({ slept: text`pg_sleep(30)` }).from(logHead)),
    database.write((tx) => define(tx.sql, database, "b")),
  ]);
  expect(outcomes).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "database_unavailable" } },
    { status: "fulfilled" },
  ]);
  expect(await names(database)).toEqual(["a", "b"]);
});

test("reads share as many connections as are allowed, and all of them are answered", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url, { readerConnections: 3 });
  await Promise.all(Array.from({ length: 60 }, () => slowRead(database, 0.005)));
  const side = postgres(schema.serverUrl, { max: 1 });
  const [row] = await side`select count(*)::int as sessions from pg_stat_activity
    where application_name = ${`store ${schema.schema}`}`;
  await side.end();
  expect(row).toEqual({ sessions: 3 });
});

test("a slow read holds up no other while there is a connection left", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url, { readerConnections: 2 });
  const slow = slowRead(database, 30).then(
    () => "answered",
    () => "failed",
  );
  for (let n = 0; n < 20; n += 1) await names(database);
  const side = postgres(schema.serverUrl, { max: 1 });
  await side`select pg_cancel_backend(pid) from pg_stat_activity
    where application_name = ${`store ${schema.schema}`} and state = 'active'`;
  await side.end();
  expect(await slow).toBe("failed");
});

test("quick reads that share a connection are answered even if it is lost meanwhile", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url, { readerConnections: 2 });
  await database.write((tx) => define(tx.sql, database, "a"));
  expect(await names(database)).toEqual(["a"]);
  let isOver = false;
  const reading = Array.from({ length: 40 }, async () => {
    let answers = 0;
    for (; !isOver; answers += 1) expect(await names(database)).toEqual(["a"]);
    return answers;
  });
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    await endOf(schema);
  }
  isOver = true;
  expect(Math.min(...(await Promise.all(reading)))).toBeGreaterThan(0);
});

test("no more reads wait for a connection than are allowed, and none for longer", async () => {
  const schema = await newSchema();
  const limits = { readerConnections: 1, readerWaitLimit: 2, readerWaitTimeoutMs: 500 };
  const database = await openPlace(schema.url, limits);
  const outcomes = await Promise.allSettled(
    [1, 2, 3, 4].map((_, index) => slowRead(database, index === 0 ? 1.5 : 0)),
  );
  expect(outcomes).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "database_unavailable", context: { limit: 500 } } },
    { status: "rejected", reason: { code: "database_unavailable", context: { limit: 500 } } },
    { status: "rejected", reason: { code: "database_unavailable", context: { limit: 2 } } },
  ]);
});

test("a server that says nothing while it is connected to is given up", async () => {
  const schema = await newSchema();
  const proxy = await silentProxyTo(schema.url);
  proxy.silence();
  const opening = openDatabase(proxy.url, { connectTimeoutMs: 100 });
  await expect(opening).rejects.toMatchObject({
    code: "database_unavailable",
    context: { limit: 100 },
  });
});

test("a read that gets no answer is given up, and later ones are answered again", async () => {
  const schema = await newSchema();
  const proxy = await silentProxyTo(schema.url);
  const options = { statementTimeoutMs: 100, answerGraceMs: 100, connectTimeoutMs: 200 };
  const database = await openPlace(proxy.url, options);
  await names(database);
  proxy.silence();
  await expect(names(database)).rejects.toMatchObject({ code: "database_unavailable" });
  proxy.speak();
  await expect.poll(() => names(database).catch(() => "away"), { timeout: 10_000 }).toEqual([]);
});

test("a command that gets no answer is given up, and later ones are committed", async () => {
  const schema = await newSchema();
  const proxy = await silentProxyTo(schema.url);
  const options = { writeStatementTimeoutMs: 200, answerGraceMs: 100, connectTimeoutMs: 200 };
  const database = await openPlace(proxy.url, options);
  await database.write((tx) => define(tx.sql, database, "a"));
  proxy.silenceAt("insert into", "request");
  await expect(database.write((tx) => define(tx.sql, database, "b"))).rejects.toMatchObject({
    code: "database_unavailable",
  });
  proxy.speak();
  // The server has the old session, and its lock, until it finds out; here that is hastened.
  await endOf(schema);
  const written = (): Promise<unknown> =>
    database
      .write((tx) => define(tx.sql, database, "c"))
      .then(
        () => "written",
        () => "away",
      );
  await expect.poll(written, { timeout: 10_000 }).toBe("written");
  expect(await names(database)).toEqual(["a", "c"]);
});

async function endOf(schema: TestDatabase): Promise<void> {
  const side = postgres(schema.serverUrl, { max: 1 });
  await side`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${`store ${schema.schema}`}`;
  await side.end();
}

test("a commit that gets no answer is looked for, and acknowledged where it is there", async () => {
  const schema = await newSchema();
  const proxy = await silentProxyTo(schema.url);
  const options = { writeStatementTimeoutMs: 200, answerGraceMs: 100, connectTimeoutMs: 200 };
  const database = await openPlace(proxy.url, options);
  const asked: string[] = [];
  database.join({
    begin: () => Promise.resolve(),
    savepoint: () => () => undefined,
    flush: () => Promise.resolve(),
    committed: () => void asked.push("committed"),
    abandoned: () => void asked.push("abandoned"),
    wasCommitted: async (sql) => {
      asked.push("asked");
      return (await sql.select().from(database.tables.retentionClasses)).length > 0;
    },
  });
  proxy.silenceAt("COMMIT\0", "answer");
  const writing = database.write((tx) => define(tx.sql, database, "a"));
  setTimeout(() => proxy.speak(), 600);
  await writing;
  expect(asked).toEqual(["asked", "committed"]);
  expect(await names(database)).toEqual(["a"]);
});
