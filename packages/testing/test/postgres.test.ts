import postgres from "postgres";
import { afterEach, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../src/postgres.ts";

const made: TestDatabase[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((database) => database.drop()));
});

test("each test gets an empty schema of PostgreSQL 18, and dropping it leaves nothing", async () => {
  const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  made.push(second);
  expect(first.schema).not.toBe(second.schema);
  const sql = postgres(first.serverUrl, { max: 1 });
  try {
    const [version] = await sql`show server_version_num`;
    expect(Math.floor(Number(version?.["server_version_num"]) / 10_000)).toBe(18);
    await sql`create table ${sql(first.schema)}.t (a integer)`;
    await first.drop();
    const left = await sql`select 1 from pg_namespace where nspname = ${first.schema}`;
    expect(left).toHaveLength(0);
  } finally {
    await sql.end();
  }
});
