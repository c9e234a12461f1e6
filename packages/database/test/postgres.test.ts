import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { eq } from "drizzle-orm";
import { createTestDatabase, type TestDatabase } from "@store/testing/postgres";
import postgres from "postgres";
import { expect, test } from "vitest";
import { type BatchParticipant, type Database, type Sql, openDatabase } from "../src/index.ts";
import { PostgresSessionConnection } from "../src/lib/postgres/connection.ts";
import { parsePostgresUrl } from "../src/lib/postgres/url.ts";
import { proxyTo } from "./connection-proxy.ts";
import { afterTest, newSchema, openPlace } from "./dialects.ts";

/** How the message ends that a simple COMMIT is. */
const commit = "COMMIT\0";

/** Ends the sessions of one schema that are in `state`, as an administrator would. */
async function terminate(schema: TestDatabase, state: string): Promise<void> {
  const sql = postgres(schema.serverUrl, { max: 1 });
  try {
    const ended = await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = ${`store ${schema.schema}`} and state = ${state}`;
    expect(ended.length).toBeGreaterThan(0);
  } finally {
    await sql.end();
  }
}

async function define(sql: Sql, database: Database, name: string): Promise<void> {
  await sql.insert(database.tables.retentionClasses).values({ name, definedSeq: 1 });
}

async function names(database: Database): Promise<string[]> {
  const t = database.tables.retentionClasses;
  const rows = await database.reader.select({ name: t.name }).from(t).orderBy(t.name);
  return rows.map(({ name }) => name);
}

/** Takes part without writing anything, and looks for a row after a lost COMMIT. */
class Witness implements BatchParticipant {
  readonly calls: string[] = [];
  readonly #look: (sql: Sql) => Promise<boolean | undefined>;

  constructor(look: (sql: Sql) => Promise<boolean | undefined>) {
    this.#look = look;
  }

  begin(): Promise<void> {
    return Promise.resolve();
  }

  savepoint(): () => void {
    return () => undefined;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  committed(): void {
    this.calls.push("committed");
  }

  abandoned(): void {
    this.calls.push("abandoned");
  }

  wasCommitted(sql: Sql): Promise<boolean | undefined> {
    this.calls.push("asked");
    return this.#look(sql);
  }
}

test("a session that ends in the middle of a batch fails all of it, and the next one works", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url);
  const outcomes = await Promise.allSettled([
    database.write((tx) => define(tx.sql, database, "a")),
    database.write(async (tx) => {
      await define(tx.sql, database, "b");
      await terminate(schema, "idle in transaction");
      // Once it has noticed, the driver would connect again and commit this on its own.
      await sleep(50);
      await define(tx.sql, database, "c");
    }),
    database.write((tx) => define(tx.sql, database, "d")),
  ]);
  for (const outcome of outcomes.slice(0, 2)) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "database_unavailable" } });
  }
  await database.write((tx) => define(tx.sql, database, "e"));
  const third = outcomes[2]?.status === "fulfilled" ? ["d"] : [];
  expect(await names(database)).toEqual([...third, "e"]);
});

test("a session that ends between batches is replaced, and nobody notices", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url);
  await database.write((tx) => define(tx.sql, database, "a"));
  await terminate(schema, "idle");
  await database.write((tx) => define(tx.sql, database, "b"));
  expect(await names(database)).toEqual(["a", "b"]);
});

test("a session that is found lost when a batch begins is replaced too", async () => {
  const schema = await newSchema();
  const proxy = await proxyTo(schema.url);
  const database = await openPlace(proxy.url);
  await database.write((tx) => define(tx.sql, database, "a"));
  proxy.cutAt("BEGIN", "before the server has it");
  await database.write((tx) => define(tx.sql, database, "b"));
  expect(await names(database)).toEqual(["a", "b"]);
});

test("a commit whose answer was lost is looked for, found, and acknowledged", async () => {
  const schema = await newSchema();
  const proxy = await proxyTo(schema.url);
  const database = await openPlace(proxy.url);
  const { retentionClasses } = database.tables;
  const witness = new Witness(async (sql) => {
    const rows = await sql.select().from(retentionClasses).where(eq(retentionClasses.name, "a"));
    return rows.length > 0;
  });
  database.join(witness);
  proxy.cutAt(commit, "before the client has the answer");
  await database.write((tx) => define(tx.sql, database, "a"));
  expect(witness.calls).toEqual(["asked", "committed"]);
  expect(await names(database)).toEqual(["a"]);
});

test("a commit that never arrived is looked for, not found, and refused", async () => {
  const schema = await newSchema();
  const proxy = await proxyTo(schema.url);
  const database = await openPlace(proxy.url);
  const { retentionClasses } = database.tables;
  const witness = new Witness(async (sql) => {
    const rows = await sql.select().from(retentionClasses).where(eq(retentionClasses.name, "a"));
    return rows.length > 0;
  });
  database.join(witness);
  proxy.cutAt(commit, "before the server has it");
  const writing = database.write((tx) => define(tx.sql, database, "a"));
  await expect(writing).rejects.toMatchObject({ code: "database_unavailable" });
  expect(witness.calls).toEqual(["asked", "abandoned"]);
  expect(await names(database)).toEqual([]);
});

test("a commit that cannot be looked for is reported as unknown", async () => {
  const schema = await newSchema();
  const proxy = await proxyTo(schema.url);
  const database = await openPlace(proxy.url);
  database.join(new Witness(() => Promise.resolve(undefined)));
  proxy.cutAt(commit, "before the client has the answer");
  const writing = database.write((tx) => define(tx.sql, database, "a"));
  await expect(writing).rejects.toMatchObject({ code: "commit_unknown" });
});

test("a transaction that failed unnoticed is not taken for committed", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url);
  const witness = new Witness(() => Promise.resolve(undefined));
  witness.flush = async (sql?: Sql) => {
    if (sql === undefined) return;
    await define(sql, database, "twice").catch(() => undefined);
    await define(sql, database, "twice").catch(() => undefined);
  };
  database.join(witness);
  const writing = database.write((tx) => define(tx.sql, database, "a"));
  await expect(writing).rejects.toMatchObject({ code: "internal" });
  expect(witness.calls).toEqual(["abandoned"]);
  expect(await names(database)).toEqual([]);
});

test("servers take turns by the head's row, and no update is lost", async () => {
  const schema = await newSchema();
  const databases = await Promise.all([1, 2, 3].map(() => openPlace(schema.url)));
  const increments = databases.flatMap((database) =>
    Array.from({ length: 30 }, () =>
      database.write(async ({ sql, tables }) => {
        const [row] = await sql.select().from(tables.retentionClasses);
        await sql
          .insert(tables.retentionClasses)
          .values({ name: "n", definedSeq: 1 })
          .onConflictDoUpdate({
            target: tables.retentionClasses.name,
            set: { definedSeq: (row?.definedSeq ?? 0) + 1 },
          });
      }),
    ),
  );
  await Promise.all(increments);
  const [first] = databases;
  expect(await first?.reader.select().from(first.tables.retentionClasses)).toMatchObject([
    { definedSeq: 90 },
  ]);
});

test("before there is a head, one of several servers creates it and the others go on", async () => {
  const schema = await createTestDatabase();
  afterTest(() => schema.drop());
  const databases = await Promise.all([1, 2, 3, 4, 5, 6].map(() => openPlace(schema.url)));
  await databases[0]?.migrate();
  const bytes = new Uint8Array(0);
  const writes = databases.flatMap((database, index) =>
    Array.from({ length: 5 }, async () => {
      // Each comes alone, so that first batches and later ones of other servers meet.
      await sleep(index);
      return await database.write(async ({ sql, tables: { logHead } }) => {
        const [head] = await sql.select().from(logHead);
        // Time for the others to find no row either, if the lock let them.
        await sleep(3);
        if (head === undefined) {
          const texts = { logId: String(index), lastOccurredAt: "", lastEventId: "" };
          await sql
            .insert(logHead)
            .values({ id: 1, size: 1, root: bytes, frontier: bytes, ...texts });
        } else {
          await sql.update(logHead).set({ size: head.size + 1 });
        }
        return head === undefined;
      });
    }),
  );
  const created = await Promise.all(writes);
  expect(created.filter(Boolean)).toHaveLength(1);
  const [head] = (await databases[0]?.reader.select().from(databases[0].tables.logHead)) ?? [];
  expect(head?.size).toBe(writes.length);
});

test("a server that was late to create the head waits for those that write it", async () => {
  const schema = await createTestDatabase();
  afterTest(() => schema.drop());
  const proxy = await proxyTo(schema.url);
  const database = await openPlace(schema.url);
  await database.migrate();
  const late = await openPlace(proxy.url);
  const pause = proxy.pauseAt("LOCK TABLE");
  // It has found no head, and is about to lock the table instead.
  const lateWrite = late.write((tx) => tx.sql.select().from(tx.tables.logHead));
  await pause.reached;
  const sql = postgres(schema.serverUrl, { max: 1 });
  await sql`insert into ${sql(schema.schema)}.log_head values (1, 'log', 0, '', '', '', '')`;
  await sql.end();
  await database.write(async (tx) => {
    pause.resume();
    await sleep(50);
    await tx.sql.update(tx.tables.logHead).set({ size: 1 });
  });
  expect(await lateWrite).toMatchObject([{ size: 1 }]);
});

test("another server's lock is waited for no longer than asked", async () => {
  const schema = await newSchema();
  const [holder, waiter] = [
    await openPlace(schema.url),
    await openPlace(schema.url, { lockTimeoutMs: 50 }),
  ];
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holding = holder.write(async () => {
    entered.resolve();
    await release.promise;
  });
  await entered.promise;
  await expect(waiter.write(() => Promise.resolve())).rejects.toMatchObject({
    code: "database_unavailable",
  });
  release.resolve();
  await holding;
  expect(await waiter.write(() => Promise.resolve(1))).toBe(1);
});

test("listeners are woken by what was committed, once for each payload of a batch", async () => {
  const schema = await newSchema();
  const [writer, reader] = [await openPlace(schema.url), await openPlace(schema.url)];
  const heard: (string | undefined)[] = [];
  const done = Promise.withResolvers<void>();
  const listener = await reader.listen("head", (payload) => {
    heard.push(payload);
    if (payload === "end") done.resolve();
  });
  await Promise.allSettled([
    writer.write(async (tx) => tx.notify("head", "1")),
    writer.write(async (tx) => {
      tx.notify("head", "never");
      throw new Error("no");
    }),
    writer.write(async (tx) => tx.notify("head", "1")),
    writer.write(async (tx) => tx.notify("other", "2")),
  ]);
  await writer.write(async (tx) => tx.notify("head", "end"));
  await done.promise;
  // The first says that it listens from now on.
  expect(heard).toEqual([undefined, "1", "end"]);
  await listener.close();
});

test("a listener whose connection is lost listens again, and says what it may have missed", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url);
  const heard: (string | undefined)[] = [];
  let next = Promise.withResolvers<void>();
  await database.listen("head", (payload) => {
    heard.push(payload);
    next.resolve();
  });
  await next.promise;
  next = Promise.withResolvers<void>();
  await terminate(schema, "idle");
  await next.promise;
  next = Promise.withResolvers<void>();
  const writer = await openPlace(schema.url);
  await writer.write(async (tx) => tx.notify("head", "after"));
  await next.promise;
  expect(heard).toEqual([undefined, undefined, "after"]);
});

test("texts are prepared from their second use on, and no more than some", async () => {
  const schema = await newSchema();
  const place = parsePostgresUrl(schema.url);
  const session = await PostgresSessionConnection.open(place);
  afterTest(() => session.close());
  const prepared = async (): Promise<number> => {
    const { rows } = await session.batch("SELECT count(*) FROM pg_prepared_statements");
    return Number(rows[0]?.[0]);
  };
  for (let n = 0; n < 600; n += 1) await session.execute(`SELECT ${n} + $1::int8`, [1], "rows");
  expect(await prepared()).toBe(0);
  for (let round = 0; round < 2; round += 1) {
    for (let n = 0; n < 600; n += 1) {
      const rows = await session.execute(`SELECT ${n} + $1::int8`, [1], "rows");
      expect(rows).toEqual([[n + 1]]);
    }
  }
  expect(await prepared()).toBe(256);
});

test("errors never repeat the password", async () => {
  const schema = await newSchema();
  const wrong = new URL(schema.url);
  wrong.password = "s3cret";
  const nowhere = new URL(wrong);
  nowhere.port = "1";
  const missing = new URL(schema.url);
  missing.pathname = "/no-such-database";
  const urls = [
    wrong.href,
    nowhere.href,
    missing.href,
    "postgres://u:s3cret@:bad:/",
    `${wrong.href}X`,
  ];
  const errors = await Promise.all(
    urls.map((url) =>
      openDatabase(url).then(
        () => "opened",
        (error: unknown) => error,
      ),
    ),
  );
  expect(errors).toMatchObject([
    { code: "permission_denied" },
    { code: "database_unavailable" },
    { code: "database_unavailable" },
    { code: "invalid_argument" },
    { code: "invalid_argument" },
  ]);
  for (const error of errors) {
    expect(String(error)).not.toContain("s3cret");
    expect(JSON.stringify(error)).not.toContain("s3cret");
  }
});

test("something that accepts connections and hangs up is no server, and is not pestered", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    socket.once("data", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const opening = openDatabase(`postgres://store@127.0.0.1:${port}/store`);
  await expect(opening).rejects.toMatchObject({ code: "database_unavailable" });
  expect(connections).toBeLessThan(10);
  server.close();
});

test("explaining a query shows its plan", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url);
  const { tags } = database.tables;
  const plan = await database.explain(
    database.reader.select().from(tags).where(eq(tags.packageId, "p")),
  );
  expect(plan).toMatch(/Scan/);
});
