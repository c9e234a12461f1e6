import { execFile } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../src/index.ts";
import { loadMigrations, pendingMigrations } from "../src/lib/migrations.ts";
import { newPlace, openMigrated, openPlace, places, sharedPlaces } from "./dialects.ts";

/** Changes a database behind the back of whoever has it open. */
async function alter(url: string, text: string): Promise<void> {
  if (url.startsWith("sqlite:")) {
    const database = new DatabaseSync(url.slice("sqlite:".length), { timeout: 5_000 });
    database.exec(text);
    database.close();
    return;
  }
  const parsed = new URL(url);
  const schema = parsed.searchParams.get("schema") ?? "";
  parsed.search = "";
  const sql = postgres(parsed.href, { max: 1, connection: { search_path: schema } });
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

const newer = `INSERT INTO schema_migrations (version, name, sha256, applied_at)
  VALUES (999, '0999_later', 'x', '')`;

describe.each(places)("migrating %s", (place) => {
  test("an empty database is not written before it is migrated", async () => {
    const database = await openPlace(await newPlace(place));
    expect(await database.schemaVersion()).toBe(0);
    await expect(database.assertSchemaCurrent()).rejects.toMatchObject({ code: "schema_outdated" });
    await expect(database.write(() => Promise.resolve())).rejects.toMatchObject({
      code: "schema_outdated",
    });
  });

  test("every migration is applied once", async () => {
    const database = await openPlace(await newPlace(place));
    const files = await loadMigrations(database.dialect);
    const report = await database.migrate();
    expect(report).toEqual({ from: 0, to: files.length, applied: files.map(({ name }) => name) });
    expect(await database.schemaVersion()).toBe(files.length);
    await database.assertSchemaCurrent();
    expect(await database.migrate()).toEqual({
      from: files.length,
      to: files.length,
      applied: [],
    });
  });

  test("migrating afresh drops every row", async () => {
    const database = await openMigrated(place);
    const { retentionClasses } = database.tables;
    await database.write(async (tx) => {
      await tx.sql.insert(retentionClasses).values({ name: "a", definedSeq: 1 });
    });
    const report = await database.migrateFresh();
    expect(report.from).toBe(0);
    expect(report.applied).toHaveLength(report.to);
    expect(await database.reader.select().from(retentionClasses)).toEqual([]);
  });

  test("health tells the schema's version and that the database answers", async () => {
    const database = await openMigrated(place);
    const health = await database.health();
    expect(health.dialect).toBe(database.dialect);
    expect(health.schemaVersion).toBe(health.expectedSchemaVersion);
    expect(health.version).toMatch(/^\d+\.\d+/);
    expect(health.sizeBytes).toBeGreaterThan(0);
    expect(health.queued).toBe(0);
  });
});

describe.each(sharedPlaces)("migrating %s elsewhere", (place) => {
  test("a schema that newer code has made is refused, also when it is made meanwhile", async () => {
    const url = await newPlace(place);
    const database = await openPlace(url);
    await database.migrate();
    await database.write(() => Promise.resolve());
    await alter(url, newer);
    await expect(database.write(() => Promise.resolve())).rejects.toMatchObject({
      code: "schema_too_new",
      context: { actual: 999 },
    });
    await expect(database.migrate()).rejects.toMatchObject({ code: "schema_too_new" });
    await expect(openDatabase(url)).rejects.toMatchObject({ code: "schema_too_new" });
  });

  test("a migration that was changed after it had been applied is refused", async () => {
    const url = await newPlace(place);
    const database = await openPlace(url);
    await database.migrate();
    await alter(url, "UPDATE schema_migrations SET sha256 = 'other' WHERE version = 1");
    await expect(database.migrate()).rejects.toMatchObject({
      code: "internal",
      context: { expected: "other" },
    });
  });

  test("processes that migrate at once apply each migration once", async () => {
    const url = await newPlace(place);
    const program = fileURLToPath(new URL("processes/migrate.ts", import.meta.url));
    const run = promisify(execFile);
    const outputs = await Promise.all(
      [1, 2, 3].map(() => run(process.execPath, [program, url], { encoding: "utf8" })),
    );
    const applied = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
    const dialect = url.startsWith("sqlite:") ? "sqlite" : "postgres";
    const files = await loadMigrations(dialect);
    expect(applied.toSorted()).toEqual(files.map(({ name }) => name));
  });
});

test("both dialects have migrations of the same names", async () => {
  const [sqlite, postgresql] = await Promise.all([
    loadMigrations("sqlite"),
    loadMigrations("postgres"),
  ]);
  expect(sqlite.map(({ name }) => name)).toEqual(postgresql.map(({ name }) => name));
});

test("a gap in what was applied is filled in order", () => {
  const known = [1, 2, 3].map((version) => ({
    version,
    name: `m${version}`,
    sha256: `h${version}`,
    sql: "",
    compatibleFrom: version,
    outsideTransaction: false,
  }));
  const pending = pendingMigrations([{ version: 1, name: "m1", sha256: "h1" }], known);
  expect(pending.map(({ version }) => version)).toEqual([2, 3]);
});
