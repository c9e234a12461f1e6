import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isStoreError } from "@store/identity";
import { expect, test } from "vitest";
import { openDatabase } from "../src/index.ts";
import { loadMigrations } from "../src/lib/migrations.ts";
import { SqliteConnection } from "../src/lib/sqlite/connection.ts";
import { migrateSqlite } from "../src/lib/sqlite/migrate.ts";
import { SqliteTransactor } from "../src/lib/sqlite/transactor.ts";
import { Writer } from "../src/lib/writer.ts";
import { afterTest, newPlace, openMigrated, openPlace, temporaryFolder } from "./dialects.ts";

function program(name: string): string {
  return fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url));
}

/** Another process that holds the write lock until its input ends. */
async function lockElsewhere(url: string, ...pragmas: string[]): Promise<ChildProcess> {
  const path = url.slice("sqlite:".length);
  const child = spawn(process.execPath, [program("lock"), path, ...pragmas], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  afterTest(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await once(child.stdout, "data");
  return child;
}

test("the file and its folder are only for their owner, and are made where they are not", async () => {
  const path = join(await temporaryFolder(), "new", "store.db");
  const database = await openPlace(`sqlite:${path}`);
  await database.migrate();
  const modes = await Promise.all(
    [dirname(path), path, `${path}-wal`].map(async (name) => (await stat(name)).mode & 0o777),
  );
  expect(modes).toEqual([0o700, 0o600, 0o600]);
  await database.close();
  expect(await readdir(dirname(path))).toEqual(["store.db"]);
});

test("while another process holds the lock, writing waits and everything else goes on", async () => {
  const url = await newPlace("SQLite in a file");
  const database = await openPlace(url);
  await database.migrate();
  const holder = await lockElsewhere(url);
  let written = false;
  const writing = database.write(async () => {
    written = true;
  });
  // Timers fire and readers read: the event loop is not blocked.
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await database.reader.select().from(database.tables.tags)).toEqual([]);
  }
  expect(written).toBe(false);
  holder.stdin?.end();
  await writing;
  expect(written).toBe(true);
});

test("a database that another process has to itself is waited for", async () => {
  const url = await newPlace("SQLite in a file");
  const database = await openDatabase(url);
  await database.migrate();
  await database.close();
  const holder = await lockElsewhere(url, "locking_mode = EXCLUSIVE");
  const opening = openPlace(url);
  await new Promise((resolve) => setTimeout(resolve, 50));
  holder.stdin?.end();
  const opened = await opening;
  expect(await opened.schemaVersion()).toBeGreaterThan(0);
});

test("a lock that is held too long is reported, and a later write succeeds", async () => {
  const url = await newPlace("SQLite in a file");
  const database = await openPlace(url, { lockTimeoutMs: 50 });
  await database.migrate();
  const holder = await lockElsewhere(url);
  await expect(database.write(() => Promise.resolve())).rejects.toMatchObject({
    code: "database_unavailable",
  });
  const ended = once(holder, "exit");
  holder.stdin?.end();
  await ended;
  expect(await database.write(() => Promise.resolve(1))).toBe(1);
});

test("timers get their turn while a command runs many statements, and order is kept", async () => {
  const database = await openMigrated("SQLite in a file");
  const { retentionClasses } = database.tables;
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  await database.write(async ({ sql }) => {
    const order: number[] = [];
    for (let round = 0; round < 2_000; round += 1) {
      await Promise.all(
        [0, 1].map(async (n) => {
          await sql.select().from(retentionClasses);
          order.push(n);
        }),
      );
    }
    expect(order).toEqual(Array.from({ length: 4_000 }, (_, index) => index % 2));
  });
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);
});

test("two openings of one file take turns, and no update is lost", async () => {
  const url = await newPlace("SQLite in a file");
  const databases = [await openPlace(url), await openPlace(url)];
  await databases[0]?.migrate();
  const increments = databases.flatMap((database) =>
    Array.from({ length: 50 }, () =>
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
  const { retentionClasses } = databases[0]!.tables;
  expect(await databases[1]!.reader.select().from(retentionClasses)).toMatchObject([
    { definedSeq: 100 },
  ]);
});

test("a memory database is private to its opening", async () => {
  const [first, second] = [
    await openMigrated("SQLite in memory"),
    await openPlace("sqlite::memory:"),
  ];
  expect(await first.schemaVersion()).toBeGreaterThan(0);
  expect(await second.schemaVersion()).toBe(0);
});

test("reading a memory database through its reader inside a command ends with an error", async () => {
  const database = await openPlace("sqlite::memory:", { lockTimeoutMs: 20 });
  await database.migrate();
  const reading = database.write(() => database.reader.select().from(database.tables.tags));
  await expect(reading).rejects.toMatchObject({ code: "database_unavailable" });
  expect(await database.write(() => Promise.resolve(1))).toBe(1);
});

test("what is no database is refused with a clear error", async () => {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder, "text"),
    "This is no database at all, just a long enough text.\n".repeat(50),
  );
  await mkdir(join(folder, "folder"));
  const codes = await Promise.all(
    [
      `sqlite:${folder}/text`,
      `sqlite:${folder}/folder`,
      `sqlite:${folder}/text/x`,
      "sqlite:",
      "x:y",
    ].map((url) =>
      openDatabase(url).then(
        () => "opened",
        (error: unknown) => (isStoreError(error) ? error.code : String(error)),
      ),
    ),
  );
  expect(codes).toEqual([
    "database_unavailable",
    "database_unavailable",
    "database_unavailable",
    "invalid_argument",
    "invalid_argument",
  ]);
});

const isRoot = process.getuid?.() === 0;
/** Whether another user can read the sources; such a check-out is usual, but not certain. */
const readable = await access("/").then(async () => {
  for (let path = program("lock"); path !== "/"; path = dirname(path)) {
    const needed = path.endsWith(".ts") ? 0o004 : 0o001;
    if (((await stat(path)).mode & needed) === 0) return false;
  }
  return true;
});

test.runIf(isRoot && readable)("a user without the right to write is told so", async () => {
  const folder = await temporaryFolder();
  await chmod(folder, 0o755);
  const path = join(folder, "store.db");
  const database = await openDatabase(`sqlite:${path}`);
  await database.migrate();
  await database.close();
  const run = promisify(execFile);
  const open = async (target: string): Promise<string> =>
    (await run(process.execPath, [program("open-as-nobody"), `sqlite:${target}`])).stdout;
  expect(await open(join(folder, "new.db"))).toBe("permission_denied");
  expect(await open(path)).toBe("permission_denied");
});

test("a full disk fails the commands that met it, keeps nothing of them, and can be mended", async () => {
  const path = join(await temporaryFolder(), "store.db");
  const migrations = await loadMigrations("sqlite");
  const connection = await SqliteConnection.open(path, ["journal_mode = WAL"], 0);
  afterTest(async () => connection.close());
  await migrateSqlite(connection, {
    migrations,
    fresh: false,
    lockTimeoutMs: 0,
  });
  const transactor = new SqliteTransactor({
    connection,
    migrations,
    lockTimeoutMs: 0,
    onEnd: () => undefined,
  });
  const writer = new Writer(transactor, {
    batchLimit: 10,
    queueLimit: 100,
    commandTimeoutMs: 1_000,
  });
  const put = (seq: number, sizeBytes: number): Promise<void> =>
    writer.write(async ({ sql, tables }) => {
      const id = String(seq);
      const texts = { id, type: "t", occurredAt: "", actor: "", subject: "" };
      const header = new Uint8Array(1);
      const payload = new Uint8Array(sizeBytes);
      await sql.insert(tables.events).values({ seq, ...texts, header, payload });
    });
  const pages = connection.all("PRAGMA page_count")[0]?.["page_count"];
  connection.exec(`PRAGMA max_page_count = ${Number(pages) + 4}`);
  await put(1, 100);
  const full = { code: "storage_full" };
  await expect(put(2, 100_000)).rejects.toMatchObject(full);
  // SQLite gives up the whole transaction; the second insert must not be kept on its own.
  const alone = writer.write(async ({ sql, tables }) => {
    const name = "n".repeat(100_000);
    // Long enough ago that both statements are first made to give others their turn.
    const until = performance.now() + 20;
    while (performance.now() < until);
    const classes = [name, "small"].map((n) =>
      sql.insert(tables.retentionClasses).values({ name: n, definedSeq: 1 }),
    );
    await Promise.allSettled(classes);
  });
  await expect(alone).rejects.toMatchObject(full);
  expect(connection.all("SELECT * FROM retention_classes")).toEqual([]);
  const outcomes = await Promise.allSettled([put(3, 100), put(4, 100_000), put(5, 100)]);
  expect(outcomes[1]).toMatchObject({ status: "rejected", reason: full });
  const kept = outcomes.flatMap(({ status }, index) => (status === "fulfilled" ? [3 + index] : []));
  connection.exec("PRAGMA max_page_count = 100000");
  await put(6, 100_000);
  const rows = connection.all("SELECT seq FROM events ORDER BY seq");
  expect(rows.map(({ seq }) => seq)).toEqual([1, ...kept, 6]);
});
