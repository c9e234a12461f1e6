import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../src/index.ts";
import {
  afterTest,
  migrateWithHead,
  newPlace,
  openPlace,
  type Place,
  sharedPlaces,
} from "./dialects.ts";
import { compatible, currentVersion, nextVersion } from "./next-version.ts";
import { openFromFolder } from "./open-from-folder.ts";

const program = fileURLToPath(new URL("processes/migrate-from.ts", import.meta.url));
function open(url: string, folder: string): Promise<Database> {
  return openFromFolder(url, pathToFileURL(`${folder}/`));
}

type Step = [name: string, status: string, index?: string];

/** Starts another process that migrates, and tells its steps. */
function migrate(url: string, folder: string): { child: ChildProcess; steps: AsyncIterable<Step> } {
  const child = spawn(process.execPath, [program, url, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  afterTest(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const lines = createInterface({ input: child.stdout });
  const steps = (async function* () {
    for await (const line of lines) yield JSON.parse(line) as Step;
  })();
  return { child, steps };
}

async function serve(place: Place): Promise<[url: string, server: Database]> {
  const url = await newPlace(place);
  await migrateWithHead(url);
  return [url, await openPlace(url)];
}

let tagCount = 0;
async function writeTag({ write, tables }: Pick<Database, "write" | "tables">): Promise<string> {
  tagCount += 1;
  const tag = `t${tagCount}`;
  await write((tx) =>
    tx.sql.insert(tables.tags).values({
      namespace: "acme",
      name: "app",
      tag,
      packageId: "p",
      setAt: "",
      setBy: "",
      setSeq: 1,
    }),
  );
  return tag;
}

/** Writes and reads as a server does, until it is stopped; any error ends it. */
async function work(database: Database, signal: AbortSignal): Promise<string[]> {
  const written: string[] = [];
  const { tags } = database.tables;
  while (!signal.aborted) {
    written.push(await writeTag({ write: database.write.bind(database), tables: database.tables }));
    const rows = await database.reader.select({ tag: tags.tag }).from(tags);
    expect(rows.length).toBeGreaterThanOrEqual(written.length);
    await sleep(1);
  }
  return written;
}

describe.each(sharedPlaces)("migrating %s while servers run", (place) => {
  test("a server goes on, before and after, with a schema that is made for it too", async () => {
    const [url, server] = await serve(place);
    const stopping = new AbortController();
    const workers = [1, 2, 3, 4].map(() => work(server, stopping.signal));
    const working = Promise.all(workers);
    await sleep(50);
    const { child, steps } = migrate(url, await nextVersion(compatible));
    const told: Step[] = await Array.fromAsync(steps);
    expect(child.exitCode ?? (await once(child, "exit"))[0]).toBe(0);
    const finished = told.filter(([, status]) => status === "applied").map(([name]) => name);
    expect(finished.map((name) => name.slice(5))).toEqual(["note", "note_index"]);
    await sleep(50);
    stopping.abort();
    const written = (await working).flat();
    await writeTag({ write: server.write.bind(server), tables: server.tables });
    expect(await server.schemaVersion()).toBe(currentVersion + 2);
    await server.assertSchemaCurrent();
    expect(await server.migrate()).toMatchObject({ to: currentVersion + 2, applied: [] });
    // Opened after the migration, by code from before it.
    const again = await openPlace(url);
    const rows = await again.reader.select().from(again.tables.tags);
    expect(rows.length).toBe(written.length + 1);
    expect(rows.map(({ tag }) => tag)).toEqual(expect.arrayContaining(written));
  });

  test("what rebuilds whole tables is left to code that knows all of their columns", async () => {
    const [url, server] = await serve(place);
    const newer = await open(url, await nextVersion(compatible));
    afterTest(() => newer.close());
    await newer.migrate();
    await expect(server.openScratch()).rejects.toMatchObject({ code: "schema_too_new" });
    await expect(server.migrateFresh()).rejects.toMatchObject({ code: "schema_too_new" });
    const scratch = await newer.openScratch();
    await scratch.close();
  });

  test("a server is stopped by one migration of several that is not made for it", async () => {
    const [url, server] = await serve(place);
    const files = { ...compatible, drop: "-- Nobody reads these any more.\nDROP TABLE tags;\n" };
    const newer = await open(url, await nextVersion(files));
    afterTest(() => newer.close());
    expect((await newer.pendingMigrations()).map((each) => each.compatibleFrom)).toEqual([
      currentVersion,
      currentVersion,
      currentVersion + 3,
    ]);
    await newer.migrate();
    expect(await newer.pendingMigrations()).toEqual([]);
    const writing = server.write(() => Promise.resolve());
    await expect(writing).rejects.toMatchObject({ code: "schema_too_new" });
    await expect(openDatabase(url)).rejects.toMatchObject({ code: "schema_too_new" });
  });

  test("what was applied stays where a later file fails, and the rest follows", async () => {
    const [url] = await serve(place);
    const bad = await nextVersion({ ...compatible, bad: "CREATE TABLE tags (tag text);\n" });
    const failing = await open(url, bad);
    await expect(failing.migrate()).rejects.toMatchObject({ code: "internal" });
    expect(await failing.schemaVersion()).toBe(currentVersion + 2);
    await failing.close();
    const good = await nextVersion({ ...compatible, good: "CREATE TABLE more (tag text);\n" });
    const newer = await open(url, good);
    afterTest(() => newer.close());
    expect(await newer.migrate()).toMatchObject({
      from: currentVersion + 2,
      to: currentVersion + 3,
    });
  });

  test("a schema that older code has made without the new column takes it", async () => {
    const [url, server] = await serve(place);
    await server.close();
    const older = await open(url, await nextVersion({}));
    afterTest(() => older.close());
    await alter(url, "ALTER TABLE schema_migrations DROP COLUMN compatible_from");
    const newer = await open(url, await nextVersion(compatible));
    afterTest(() => newer.close());
    expect(await newer.migrate()).toMatchObject({ to: currentVersion + 2 });
    const again = await openPlace(url);
    await writeTag({ write: again.write.bind(again), tables: again.tables });
  });
});

/** Changes a schema from aside. */
async function alter(url: string, text: string): Promise<void> {
  if (url.startsWith("sqlite:")) {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(url.slice("sqlite:".length));
    database.exec(text);
    database.close();
    return;
  }
  const sql = aside(url);
  await sql.unsafe(text);
}

function aside(url: string): postgres.Sql {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get("schema") ?? "public";
  parsed.search = "";
  const sql = postgres(parsed.href, { max: 1, connection: { search_path: schema } });
  afterTest(() => sql.end());
  return sql;
}

test("a migration that cannot have its lock lets others go on, and is applied in the end", async () => {
  const [url, server] = await serve("PostgreSQL");
  const reader = aside(url);
  const release = Promise.withResolvers<void>();
  const holding = reader.begin(async (sql) => {
    await sql`select * from tags`;
    await release.promise;
  });
  const { steps } = migrate(url, await nextVersion(compatible));
  const waits: Step[] = [];
  const finished: string[] = [];
  for await (const [name, status] of steps) {
    if (status === "waiting") {
      waits.push([name, status]);
      // The lock was given back, and nobody waits behind it.
      await writeTag({ write: server.write.bind(server), tables: server.tables });
      if (waits.length === 2) release.resolve();
    }
    if (status === "applied") finished.push(name);
  }
  await holding;
  expect(waits.length).toBeGreaterThanOrEqual(2);
  expect(finished).toHaveLength(2);
});

test("an index whose making was cut is made anew, and those that are there are left", async () => {
  const [url] = await serve("PostgreSQL");
  const newer = await open(url, await nextVersion(compatible));
  afterTest(() => newer.close());
  const sql = aside(url);
  const indexes = async () =>
    await sql`select c.oid, c.relname, i.indisvalid from pg_index i
      join pg_class c on c.oid = i.indexrelid where c.relname like 'tags_note%'
      and c.relnamespace = current_schema()::regnamespace order by c.relname`;
  await newer.migrate();
  await sql`drop index tags_note`;
  await sql`delete from schema_migrations where version = ${currentVersion + 2}`;
  const [kept] = await indexes();
  // A transaction that has written the table is waited for by whoever makes an index on it.
  const release = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const holding = aside(url).begin(async (tx) => {
    await tx`insert into tags values ('a', 'b', 'c', 'd', '', '', 1)`;
    written.resolve();
    await release.promise;
  });
  await written.promise;
  const schema = new URL(url).searchParams.get("schema");
  const cut = async (): Promise<number> => {
    const ended = await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = ${`store ${schema}`} and wait_event_type = 'Lock'
      and query like 'CREATE INDEX CONCURRENTLY%'`;
    return ended.length;
  };
  const migrating = expect(newer.migrate()).rejects.toMatchObject({ code: "database_unavailable" });
  await expect.poll(cut, { timeout: 20_000 }).toBe(1);
  await migrating;
  expect(await indexes()).toMatchObject([{ relname: "tags_note", indisvalid: false }, kept]);
  expect(await newer.schemaVersion()).toBe(currentVersion + 1);
  release.resolve();
  await holding;
  const { applied } = await newer.migrate();
  expect(applied.map((name) => name.slice(5))).toEqual(["note_index"]);
  expect(await indexes()).toMatchObject([{ relname: "tags_note", indisvalid: true }, kept]);
});
