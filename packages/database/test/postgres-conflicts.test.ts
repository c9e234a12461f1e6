import type { TestDatabase } from "@store/testing/postgres";
import { eq } from "drizzle-orm";
import postgres from "postgres";
import { expect, test } from "vitest";
import { type Database, type WriteTransaction } from "../src/index.ts";
import { afterTest, newSchema, openPlace } from "./dialects.ts";

/** A connection that does as it likes. */
function aside(schema: TestDatabase): postgres.Sql {
  const sql = postgres(schema.serverUrl, { max: 1, connection: { search_path: schema.schema } });
  afterTest(() => sql.end());
  return sql;
}

/** Makes the first inserts of classes of some name fail, as another transaction would. */
async function failFirst(sql: postgres.Sql, name: string, times: number): Promise<void> {
  await sql.unsafe(`
    CREATE SEQUENCE attempts;
    CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.name = '${name}' AND nextval('attempts') <= ${times} THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER conflict BEFORE INSERT ON retention_classes
      FOR EACH ROW EXECUTE FUNCTION conflict();
  `);
}

async function define(tx: WriteTransaction, name: string): Promise<void> {
  await tx.sql.insert(tx.tables.retentionClasses).values({ name, definedSeq: 1 });
}

async function names({ reader, tables }: Database): Promise<string[]> {
  const t = tables.retentionClasses;
  const rows = await reader.select({ name: t.name }).from(t).orderBy(t.name);
  return rows.map(({ name }) => name);
}

test("a batch that met a serialization failure is run again, and nobody notices", async () => {
  const schema = await newSchema();
  await failFirst(aside(schema), "b", 2);
  const database = await openPlace(schema.url);
  const heard: (string | undefined)[] = [];
  await database.listen("head", (payload) => heard.push(payload));
  const runs = { a: 0, b: 0, c: 0 };
  const command = (name: keyof typeof runs) => async (tx: WriteTransaction) => {
    runs[name] += 1;
    tx.notify("head", name);
    await define(tx, name);
    return name;
  };
  const written = await Promise.all([
    database.write(command("a")),
    database.write(command("b")),
    database.write(command("c")),
  ]);
  expect(written).toEqual(["a", "b", "c"]);
  expect(runs).toEqual({ a: 3, b: 3, c: 1 });
  expect(await names(database)).toEqual(["a", "b", "c"]);
  await expect.poll(() => heard).toEqual([undefined, "a", "b", "c"]);
});

test("a command that fails for its own reasons fails alone when its batch is run again", async () => {
  const schema = await newSchema();
  await failFirst(aside(schema), "b", 1);
  const database = await openPlace(schema.url);
  const outcomes = await Promise.allSettled([
    database.write(async (tx) => {
      await define(tx, "a");
      throw new Error("no");
    }),
    database.write((tx) => define(tx, "b")),
  ]);
  expect(outcomes).toMatchObject([
    { status: "rejected", reason: { message: "no" } },
    { status: "fulfilled" },
  ]);
  expect(await names(database)).toEqual(["b"]);
});

test("a conflict that does not pass is told in the end, and later commands go on", async () => {
  const schema = await newSchema();
  await failFirst(aside(schema), "b", 1_000);
  const database = await openPlace(schema.url);
  let runs = 0;
  const writing = database.write(async (tx) => {
    runs += 1;
    await define(tx, "b");
  });
  await expect(writing).rejects.toMatchObject({ code: "database_unavailable" });
  expect(runs).toBe(5);
  await database.write((tx) => define(tx, "c"));
  expect(await names(database)).toEqual(["c"]);
});

test("a batch that lost a deadlock is run again", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url);
  await database.write((tx) => define(tx, "x"));
  await database.write((tx) => define(tx, "y"));
  const t = database.tables.retentionClasses;
  const touch = async (tx: WriteTransaction, name: string): Promise<void> => {
    await tx.sql.update(t).set({ definedSeq: 2 }).where(eq(t.name, name));
  };
  const other = aside(schema);
  // The server ends who has waited for its own deadlock_timeout; the other waits for longer.
  await other`set deadlock_timeout = '30s'`;
  const hasX = Promise.withResolvers<void>();
  const batchHasY = Promise.withResolvers<void>();
  const blocking = other.begin(async (sql) => {
    await sql`update retention_classes set defined_seq = 3 where name = 'x'`;
    hasX.resolve();
    await batchHasY.promise;
    await sql`update retention_classes set defined_seq = 3 where name = 'y'`;
  });
  await hasX.promise;
  let runs = 0;
  await database.write(async (tx) => {
    runs += 1;
    await touch(tx, "y");
    batchHasY.resolve();
    await touch(tx, "x");
  });
  await blocking;
  expect(runs).toBeGreaterThan(1);
  expect(await database.reader.select({ seq: t.definedSeq }).from(t)).toEqual([
    { seq: 2 },
    { seq: 2 },
  ]);
});

test("a read that was in the way of something is done again", async () => {
  const schema = await newSchema();
  const database = await openPlace(schema.url);
  // Who only reads leaves nothing but a session's advisory lock, which tells of the first attempt.
  await aside(schema).unsafe(`
    CREATE FUNCTION second_time() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242) THEN
        PERFORM pg_advisory_lock(4242);
        RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = '40001';
      END IF;
      RETURN 'a';
    END $$;
    ALTER TABLE tags RENAME TO tags_kept;
    CREATE VIEW tags AS SELECT second_time() AS tag;
  `);
  const { tags } = database.tables;
  expect(await database.reader.select({ tag: tags.tag }).from(tags)).toEqual([{ tag: "a" }]);
});
