import { eq } from "drizzle-orm";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { type Database, type NewRow, type Sql, openDatabase } from "../src/index.ts";
import { createHead, newPlace, openMigrated, openPlace, places } from "./dialects.ts";

function tag(name: string, setSeq: number): NewRow<"tags"> {
  return {
    namespace: "acme",
    name: "app",
    tag: name,
    packageId: "p",
    setAt: "",
    setBy: "",
    setSeq,
  };
}

async function setTags(sql: Sql, database: Database, rows: NewRow<"tags">[]): Promise<void> {
  await sql.insert(database.tables.tags).values(rows);
}

const nothing = (): Promise<void> => Promise.resolve();

describe.each(places)("a scratch space on %s", (place) => {
  test("is empty, apart from the live tables, and gone when closed", async () => {
    const database = await openMigrated(place);
    await database.write((tx) => setTags(tx.sql, database, [tag("live", 1)]));
    const scratch = await database.openScratch();
    const { tags } = scratch.tables;
    await scratch.transaction(async () => {
      expect(await scratch.sql.select().from(tags)).toEqual([]);
      await setTags(scratch.sql, database, [tag("scratch", 2)]);
    });
    const live = await database.reader.select({ tag: tags.tag }).from(tags);
    expect(live).toEqual([{ tag: "live" }]);
    await scratch.close();
    await scratch.close();
    await expect(scratch.transaction(nothing)).rejects.toMatchObject({ code: "closed" });
  });

  test("a transaction that throws leaves nothing in it", async () => {
    const database = await openMigrated(place);
    const scratch = await database.openScratch();
    const failing = scratch.transaction(async () => {
      await setTags(scratch.sql, database, [tag("a", 1)]);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await scratch.compare(["tags"], nothing)).toEqual([]);
    await scratch.close();
  });

  test("comparing finds missing, surplus and changed rows, and shows both", async () => {
    const database = await openMigrated(place);
    const object = {
      contentAddress: "blake3:00",
      digestAlgorithm: "blake3",
      digestPrimary: new Uint8Array([1, 255]),
      digestSha256: new Uint8Array([2]),
      sizeBytes: 5,
      firstSeq: 1,
      storedAt: "",
    };
    await database.write(async (tx) => {
      await setTags(tx.sql, database, [tag("same", 1), tag("changed", 1), tag("surplus", 1)]);
      await tx.sql.insert(tx.tables.objects).values(object);
    });
    const scratch = await database.openScratch();
    const differences = await scratch.compare(["tags", "objects", "artifactFiles"], () =>
      scratch.transaction(async () => {
        await setTags(scratch.sql, database, [
          tag("same", 1),
          tag("changed", 2),
          tag("missing", 1),
        ]);
        const other = { ...object, digestPrimary: new Uint8Array([1, 254]) };
        await scratch.sql.insert(scratch.tables.objects).values(other);
      }),
    );
    expect(differences.map(({ table, count }) => [table, count])).toEqual([
      ["tags", 3],
      ["objects", 1],
    ]);
    const byTag = Object.fromEntries(
      (differences[0]?.sample ?? []).map((row) => [row.key["tag"], row]),
    );
    expect(Object.keys(byTag)).toEqual(["changed", "missing", "surplus"]);
    expect(byTag["changed"]).toMatchObject({ live: { set_seq: 1 }, rebuilt: { set_seq: 2 } });
    expect(byTag["missing"]).not.toHaveProperty("live");
    expect(byTag["surplus"]).not.toHaveProperty("rebuilt");
    expect(differences[1]?.sample).toMatchObject([
      { live: { digest_primary: "01ff" }, rebuilt: { digest_primary: "01fe" } },
    ]);
    await scratch.close();
  });

  test("the sample is bounded, the count is not", async () => {
    const database = await openMigrated(place);
    await database.write((tx) =>
      setTags(
        tx.sql,
        database,
        ["a", "b", "c"].map((name) => tag(name, 1)),
      ),
    );
    const scratch = await database.openScratch();
    const [difference] = await scratch.compare(["tags"], nothing, { sampleLimit: 2 });
    expect(difference).toMatchObject({ count: 3 });
    expect(difference?.sample.map(({ key }) => key["tag"])).toEqual(["a", "b"]);
    await scratch.close();
  });

  test("swapping makes the live rows those of the scratch space, in one step", async () => {
    const database = await openMigrated(place);
    const { tags } = database.tables;
    await database.write((tx) =>
      setTags(tx.sql, database, [tag("same", 1), tag("changed", 1), tag("surplus", 1)]),
    );
    const scratch = await database.openScratch();
    await scratch.transaction(() => setTags(scratch.sql, database, [tag("same", 1)]));
    let during: unknown;
    await scratch.swap(["tags"], async () => {
      await scratch.transaction(() =>
        setTags(scratch.sql, database, [tag("changed", 2), tag("missing", 1)]),
      );
      during = await database.reader.select({ tag: tags.tag }).from(tags).orderBy(tags.tag);
    });
    expect(during).toEqual([{ tag: "changed" }, { tag: "same" }, { tag: "surplus" }]);
    const after = await database.reader
      .select({ tag: tags.tag, setSeq: tags.setSeq })
      .from(tags)
      .orderBy(tags.tag);
    expect(after).toEqual([
      { tag: "changed", setSeq: 2 },
      { tag: "missing", setSeq: 1 },
      { tag: "same", setSeq: 1 },
    ]);
    expect(await scratch.compare(["tags"], nothing)).toEqual([]);
    await scratch.close();
  });

  test("a swap whose last events cannot be replayed changes nothing", async () => {
    const database = await openMigrated(place);
    const { tags } = database.tables;
    await database.write((tx) => setTags(tx.sql, database, [tag("a", 1)]));
    const scratch = await database.openScratch();
    const failing = scratch.swap(["tags"], () => Promise.reject(new Error("unreadable")));
    await expect(failing).rejects.toThrow("unreadable");
    expect(await database.reader.select({ tag: tags.tag }).from(tags)).toEqual([{ tag: "a" }]);
    await scratch.close();
  });

  test("commands wait while it holds the writer's lock, however long that is", async () => {
    const database = await openMigrated(place, { lockTimeoutMs: 20 });
    const { tags } = database.tables;
    const scratch = await database.openScratch();
    const order: string[] = [];
    let writing: Promise<void> | undefined;
    await scratch.compare([], async () => {
      writing = database.write(async (tx) => {
        order.push("written");
        await setTags(tx.sql, database, [tag("a", 1)]);
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      order.push("compared");
    });
    await writing;
    expect(order).toEqual(["compared", "written"]);
    expect(
      await database.reader.select({ tag: tags.tag }).from(tags).where(eq(tags.tag, "a")),
    ).toHaveLength(1);
    await scratch.close();
  });
});

test("another process's commands wait while SQLite's scratch space holds the lock", async () => {
  const url = await newPlace("SQLite in a file");
  const [database, other] = [await openPlace(url), await openPlace(url)];
  await database.migrate();
  const scratch = await database.openScratch();
  const order: string[] = [];
  let writing: Promise<unknown> | undefined;
  await scratch.compare([], async () => {
    writing = other.write(async () => void order.push("written"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    order.push("compared");
  });
  await writing;
  expect(order).toEqual(["compared", "written"]);
  await scratch.close();
});

test("SQLite's scratch files are removed, also those of a process that died", async () => {
  const url = await newPlace("SQLite in a file");
  const database = await openPlace(url);
  await database.migrate();
  const path = url.slice("sqlite:".length);
  const left = `${path}.scratch-left`;
  await writeFile(left, "");
  await utimes(left, 0, 0);
  const used = await database.openScratch();
  const [name = ""] = await scratchFiles(path);
  await utimes(join(dirname(path), name), 0, 0);
  const second = await database.openScratch();
  expect(await scratchFiles(path)).toHaveLength(2);
  expect(await scratchFiles(path)).toContain(name);
  await Promise.all([used.close(), second.close()]);
  expect(await scratchFiles(path)).toEqual([]);
});

async function scratchFiles(path: string): Promise<string[]> {
  const names = await readdir(dirname(path));
  return names.filter((name) => name.startsWith(`${basename(path)}.scratch-`));
}

test("PostgreSQL's scratch schemas are removed, also those of a session that was lost", async () => {
  const url = await newPlace("PostgreSQL");
  const database = await openDatabase(url);
  const sql = postgres(url.replace(/\?.*/, ""), { max: 1 });
  const schema = new URL(url).searchParams.get("schema") ?? "";
  const scratchSchemas = async (): Promise<string[]> => {
    const rows = await sql<{ nspname: string }[]>`
      select nspname from pg_namespace where starts_with(nspname, ${`${schema}_scratch_`})`;
    return rows.map(({ nspname }) => nspname);
  };
  try {
    await database.migrate();
    await createHead(database);
    const lost = await database.openScratch();
    const [name = ""] = await scratchSchemas();
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = ${`store ${name}`}`;
    await expect(lost.transaction(nothing)).rejects.toMatchObject({ code: "database_unavailable" });
    await lost.close();
    expect(await scratchSchemas()).toHaveLength(1);
    const next = await database.openScratch();
    expect(await scratchSchemas()).toHaveLength(1);
    await next.close();
    expect(await scratchSchemas()).toEqual([]);
  } finally {
    await sql.end();
    await database.close();
  }
});
