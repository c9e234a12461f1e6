import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isStoreError } from "@store/identity";
import { proving, account, rounds } from "@store/testing/prove";
import { type PostgresServer, startPostgresServer } from "@store/testing/postgres";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import type { BatchParticipant, Database } from "../src/index.ts";
import { afterTest, migrateWithHead, openPlace } from "./dialects.ts";
import { silentProxyTo } from "./silent-proxy.ts";

async function newServer(): Promise<PostgresServer> {
  const server = await startPostgresServer();
  afterTest(() => server.stop());
  await migrateWithHead(server.url);
  return server;
}

/** Marks each batch in the head, and looks for the mark after a lost COMMIT. */
function witness({ tables: { logHead } }: Database): BatchParticipant {
  let mark = "";
  return {
    begin: () => Promise.resolve(),
    savepoint: () => () => undefined,
    flush: async (sql) => {
      mark = randomUUID();
      await sql.update(logHead).set({ lastEventId: mark });
    },
    committed: () => undefined,
    abandoned: () => undefined,
    wasCommitted: async (sql) => (await sql.select().from(logHead))[0]?.lastEventId === mark,
  };
}

/** Writes its own row and counts it, in one command. */
async function countIn(database: Database, name: string): Promise<void> {
  await database.write(async ({ sql, tables: { retentionClasses: t } }) => {
    const [row] = await sql.select().from(t).where(eq(t.name, "count"));
    const definedSeq = (row?.definedSeq ?? 0) + 1;
    await sql
      .insert(t)
      .values({ name: "count", definedSeq })
      .onConflictDoUpdate({ target: t.name, set: { definedSeq } });
    await sql.insert(t).values({ name, definedSeq });
  });
}

interface Told {
  readonly acknowledged: Set<string>;
  readonly unknown: Set<string>;
  refused: number;
}

/** Writes until it is stopped; every error but those of an absence is a fault. */
async function keepWriting(database: Database, told: Told, signal: AbortSignal): Promise<void> {
  for (; !signal.aborted; await sleep(1)) {
    const name = randomUUID();
    try {
      await countIn(database, name);
      told.acknowledged.add(name);
    } catch (error) {
      if (isStoreError(error, "commit_unknown")) told.unknown.add(name);
      else if (isStoreError(error, "database_unavailable")) told.refused += 1;
      else throw error;
    }
  }
}

async function keepReading(database: Database, signal: AbortSignal): Promise<number> {
  let refused = 0;
  for (; !signal.aborted; await sleep(1)) {
    try {
      await database.reader.select().from(database.tables.logHead);
    } catch (error) {
      if (!isStoreError(error, "database_unavailable")) throw error;
      refused += 1;
    }
  }
  return refused;
}

test("a server that restarts under load loses nothing acknowledged, and applies nothing twice", async () => {
  const server = await newServer();
  const database = await openPlace(server.url);
  database.join(witness(database));
  const told: Told = { acknowledged: new Set(), unknown: new Set(), refused: 0 };
  const stopping = new AbortController();
  const { signal } = stopping;
  const writers = Array.from({ length: 20 }, () => keepWriting(database, told, signal));
  const readers = Array.from({ length: 10 }, () => keepReading(database, signal));
  const working = Promise.all([...writers, ...readers]);
  for (let round = 0; round < rounds(20); round += 1) {
    const before = told.acknowledged.size;
    await expect
      .poll(() => told.acknowledged.size, { timeout: 30_000 })
      .toBeGreaterThan(before + 50);
    await server.end(round % 2 === 0 ? "at once" : "in order");
    const { refused } = told;
    // Whoever waits behind a COMMIT whose outcome is being learnt waits for as long as that: 30 s.
    await expect.poll(() => told.refused, { timeout: 45_000 }).toBeGreaterThan(refused);
    await server.startAgain();
  }
  const last = told.acknowledged.size;
  await expect.poll(() => told.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(last + 50);
  stopping.abort();
  await working;
  const t = database.tables.retentionClasses;
  const rows = await database.reader.select().from(t);
  const present = new Set(rows.map(({ name }) => name).filter((name) => name !== "count"));
  expect([...told.acknowledged].filter((name) => !present.has(name))).toEqual([]);
  const surplus = [...present].filter((name) => !told.acknowledged.has(name));
  expect(surplus.filter((name) => !told.unknown.has(name))).toEqual([]);
  expect(rows.find(({ name }) => name === "count")?.definedSeq).toBe(present.size);
  if (proving) {
    const { acknowledged, unknown, refused } = told;
    account("database restarts under load", {
      acknowledged: acknowledged.size,
      unknown: unknown.size,
      refused,
    });
  }
}, 180_000);

test("while the server is away everybody is refused at once, and one prober asks for it", async () => {
  const server = await newServer();
  const proxy = await silentProxyTo(server.url);
  const database = await openPlace(proxy.url);
  await database.reader.select().from(database.tables.logHead);
  await countIn(database, "a");
  await server.end();
  const { tried } = proxy;
  for (let round = 0; round < 20; round += 1) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        index % 2 === 0
          ? countIn(database, `${round} ${index}`)
          : database.reader.select().from(database.tables.logHead),
      ),
    );
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: "database_unavailable" } });
    }
    await expect(database.tryLock("a")).rejects.toMatchObject({ code: "database_unavailable" });
    await sleep(10);
  }
  // The pool and the writer found it out, and the prober has asked since.
  expect(proxy.tried - tried).toBeLessThan(30);
  await server.startAgain();
  const write = (): Promise<unknown> => countIn(database, "b").then(() => "written", String);
  await expect.poll(write, { timeout: 20_000 }).toBe("written");
  const rows = await database.reader.select().from(database.tables.retentionClasses);
  expect(rows.map(({ name }) => name).toSorted()).toEqual(["a", "b", "count"]);
});

test("a listener whose server was away hears again, and is told what it may have missed", async () => {
  const server = await newServer();
  const database = await openPlace(server.url);
  const heard: (string | undefined)[] = [];
  await database.listen("head", (payload) => heard.push(payload));
  await server.end();
  await server.startAgain();
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(2);
  const notify = (): Promise<unknown> =>
    database.write(async (tx) => tx.notify("head", "after")).then(() => "written", String);
  await expect.poll(notify, { timeout: 20_000 }).toBe("written");
  await expect.poll(() => heard).toEqual([undefined, undefined, "after"]);
});
