import { count, desc, eq, ne, notInArray } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import {
  type BatchParticipant,
  type CommitReport,
  type Database,
  type Sql,
  statement,
} from "../src/index.ts";
import { openMigrated, places } from "./dialects.ts";

async function define(sql: Sql, database: Database, name: string): Promise<void> {
  await sql.insert(database.tables.retentionClasses).values({ name, definedSeq: 1 });
}

async function names(sql: Sql, database: Database): Promise<string[]> {
  const t = database.tables.retentionClasses;
  return (await sql.select({ name: t.name }).from(t).orderBy(t.name)).map((row) => row.name);
}

/** Notes what happens to it. */
class Recorder implements BatchParticipant {
  readonly calls: string[] = [];
  gathered: string[] = [];
  failFlush = false;

  async begin(sql: Sql): Promise<void> {
    this.calls.push("begin");
    this.gathered = [];
    void sql;
  }

  savepoint(): () => void {
    const { length } = this.gathered;
    return () => {
      this.gathered.length = length;
    };
  }

  async flush(): Promise<void> {
    if (this.failFlush) throw new Error("flush failed");
    this.calls.push(`flush ${this.gathered.join(",")}`);
  }

  committed(): void {
    this.calls.push("committed");
  }

  abandoned(): void {
    this.calls.push("abandoned");
  }

  wasCommitted(): Promise<boolean | undefined> {
    return Promise.resolve(undefined);
  }
}

describe.each(places)("the writer on %s", (place) => {
  test("a command's result is returned and its rows are there for readers", async () => {
    const database = await openMigrated(place);
    const result = await database.write(async (tx) => {
      await define(tx.sql, database, "a");
      return 42;
    });
    expect(result).toBe(42);
    expect(await names(database.reader, database)).toEqual(["a"]);
  });

  test("commands that wait together share one commit", async () => {
    const database = await openMigrated(place);
    const recorder = new Recorder();
    database.join(recorder);
    const wanted = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, "0")}`);
    await Promise.all(
      wanted.map((name) =>
        database.write(async (tx) => {
          recorder.gathered.push(name);
          await define(tx.sql, database, name);
        }),
      ),
    );
    expect(recorder.calls).toEqual(["begin", `flush ${wanted.join(",")}`, "committed"]);
    expect(await names(database.reader, database)).toEqual(wanted);
  });

  test("a command that throws is rolled back alone, with what it gathered", async () => {
    const database = await openMigrated(place);
    const recorder = new Recorder();
    database.join(recorder);
    const outcomes = await Promise.allSettled(
      ["a", "b", "c"].map((name) =>
        database.write(async (tx) => {
          recorder.gathered.push(name);
          await define(tx.sql, database, name);
          if (name === "b") throw new Error("no b");
        }),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(recorder.calls).toEqual(["begin", "flush a,c", "committed"]);
    expect(await names(database.reader, database)).toEqual(["a", "c"]);
  });

  test("a lone command that throws leaves nothing, and the next one works", async () => {
    const database = await openMigrated(place);
    const recorder = new Recorder();
    database.join(recorder);
    const failing = database.write(async (tx) => {
      await define(tx.sql, database, "a");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(recorder.calls).toEqual(["begin", "abandoned"]);
    await database.write((tx) => define(tx.sql, database, "b"));
    expect(await names(database.reader, database)).toEqual(["b"]);
  });

  test("a command sees what earlier commands of its batch wrote", async () => {
    const database = await openMigrated(place);
    const [, seen] = await Promise.all([
      database.write((tx) => define(tx.sql, database, "a")),
      database.write((tx) => names(tx.sql, database)),
    ]);
    expect(seen).toEqual(["a"]);
  });

  test("readers do not see what is not committed", async () => {
    const database = await openMigrated(place);
    const written = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const writing = database.write(async (tx) => {
      await define(tx.sql, database, "a");
      written.resolve();
      await goOn.promise;
      throw new Error("changed its mind");
    });
    const refused = expect(writing).rejects.toThrow("changed its mind");
    await written.promise;
    const reading = names(database.reader, database);
    // Where readers and writer share a connection the read waits for the end of the batch.
    setTimeout(() => goOn.resolve(), 20);
    expect(await reading).toEqual([]);
    await refused;
  });

  test("a command that catches a statement's error fails even so, and only it", async () => {
    const database = await openMigrated(place);
    const outcomes = await Promise.allSettled([
      database.write((tx) => define(tx.sql, database, "a")),
      database.write(async (tx) => {
        await define(tx.sql, database, "b");
        await define(tx.sql, database, "a").catch(() => undefined);
      }),
      database.write((tx) => define(tx.sql, database, "c")),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "internal" } });
    expect(await names(database.reader, database)).toEqual(["a", "c"]);
  });

  test("a query that nobody awaited is rolled back with its command, or refused", async () => {
    const database = await openMigrated(place);
    const late: Promise<unknown>[] = [];
    const outcomes = await Promise.allSettled([
      database.write(async (tx) => {
        // Starts now, and is not waited for.
        late.push(define(tx.sql, database, "started"));
        throw new Error("one");
      }),
      database.write(async (tx) => {
        // Starts after the command has ended.
        late.push(
          new Promise((resolve) => setTimeout(resolve, 20)).then(() =>
            define(tx.sql, database, "late"),
          ),
        );
        throw new Error("two");
      }),
      database.write((tx) => define(tx.sql, database, "kept")),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
    const [, second] = await Promise.allSettled(late);
    expect(second).toMatchObject({ status: "rejected", reason: { code: "closed" } });
    await database.write((tx) => define(tx.sql, database, "after"));
    expect(await names(database.reader, database)).toEqual(["after", "kept"]);
  });

  test("a failing flush fails every command of the batch and keeps nothing", async () => {
    const database = await openMigrated(place);
    const recorder = new Recorder();
    recorder.failFlush = true;
    database.join(recorder);
    const outcomes = await Promise.allSettled([
      database.write((tx) => define(tx.sql, database, "a")),
      database.write(() => Promise.reject(new Error("own"))),
    ]);
    // The second command's own error may rest on rows that were never committed.
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { message: "flush failed" } });
    }
    expect(recorder.calls).toEqual(["begin", "abandoned"]);
    expect(await names(database.reader, database)).toEqual([]);
  });

  test("a batch is bounded, and every command still runs in order", async () => {
    const database = await openMigrated(place, { batchLimit: 3 });
    const recorder = new Recorder();
    database.join(recorder);
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 7 }, (_, index) => database.write(async () => void order.push(index))),
    );
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(recorder.calls.filter((call) => call === "committed")).toHaveLength(3);
  });

  test("each commit is told with the commands that it made durable, and no other", async () => {
    const commits: CommitReport[] = [];
    const onCommit = (report: CommitReport): void => void commits.push(report);
    const database = await openMigrated(place, { batchLimit: 3, onCommit });
    const outcomes = Array.from({ length: 5 }, (_, index) =>
      database.write(async () => {
        if (index === 1) throw new Error("refused");
      }),
    );
    expect(database.queued).toBe(5);
    await Promise.allSettled(outcomes);
    expect(database.queued).toBe(0);
    await expect(database.write(() => Promise.reject(new Error("alone")))).rejects.toThrow("alone");
    expect(commits.map(({ commands }) => commands)).toEqual([2, 2]);
    expect(commits.every(({ durationMs }) => durationMs > 0)).toBe(true);
  });

  test("too many waiting commands are refused", async () => {
    const database = await openMigrated(place, { queueLimit: 2 });
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((n) => database.write(() => Promise.resolve(n))),
    );
    expect(outcomes[2]).toMatchObject({
      status: "rejected",
      reason: { code: "database_unavailable", context: { limit: 2 } },
    });
    expect(outcomes.slice(0, 2).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  });

  test("a command that waits for another one ends with an error, and the others go on", async () => {
    const database = await openMigrated(place, { commandTimeoutMs: 50 });
    let tooLate: () => void = () => undefined;
    const outcomes = await Promise.allSettled([
      database.write((tx) => define(tx.sql, database, "a")),
      database.write(async (tx) => {
        tooLate = () => tx.assertOpen();
        tooLate();
        await define(tx.sql, database, "b");
        await database.write((inner) => define(inner.sql, database, "c"));
      }),
      database.write((tx) => define(tx.sql, database, "d")),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "internal", context: { limit: 50 } } });
    expect(tooLate).toThrow(expect.objectContaining({ code: "closed" }));
    // The inner command was queued on its own, and runs once its turn comes.
    await database.write(() => Promise.resolve());
    expect(await names(database.reader, database)).toEqual(["a", "c", "d"]);
  });

  test("closing lets queued commands end and refuses later ones", async () => {
    const database = await openMigrated(place);
    const queued = database.write(() => Promise.resolve("done"));
    const closing = database.close();
    await expect(database.write(() => Promise.resolve())).rejects.toMatchObject({ code: "closed" });
    expect(await queued).toBe("done");
    await closing;
    await database.close();
    await expect(names(database.reader, database)).rejects.toMatchObject({ code: "closed" });
  });

  test("a reader cannot write", async () => {
    const database = await openMigrated(place);
    if (place === "SQLite in memory") return;
    await expect(define(database.reader, database, "a")).rejects.toMatchObject({
      name: "StoreError",
    });
    expect(await names(database.reader, database)).toEqual([]);
  });

  test("updates and deletes tell how many rows they changed, or return them", async () => {
    const database = await openMigrated(place);
    const { retentionClasses: t } = database.tables;
    await database.write(async ({ sql }) => {
      const rows = ["a", "b", "c"].map((name) => ({ name, definedSeq: 1 }));
      expect(await sql.insert(t).values(rows)).toEqual({ changes: 3 });
      const set = { definedSeq: 2 };
      expect(await sql.update(t).set(set).where(ne(t.name, "a"))).toEqual({ changes: 2 });
      expect(await sql.update(t).set(set).where(eq(t.name, "z"))).toEqual({ changes: 0 });
      const updated = await sql.update(t).set(set).where(eq(t.name, "a")).returning({ n: t.name });
      expect(updated).toEqual([{ n: "a" }]);
      expect(await sql.delete(t).where(eq(t.name, "b"))).toEqual({ changes: 1 });
      const deleted = await sql.delete(t).where(eq(t.name, "c")).returning();
      expect(deleted).toEqual([{ name: "c", durationDays: null, definedSeq: 2 }]);
      expect(
        await sql.insert(t).values({ name: "a", definedSeq: 9 }).onConflictDoNothing(),
      ).toEqual({ changes: 0 });
    });
    expect(await names(database.reader, database)).toEqual(["a"]);
  });

  test("joins, groups, sub-queries and set membership read the same in both dialects", async () => {
    const database = await openMigrated(place);
    const { objects, storageLocations: locations } = database.tables;
    const object = (address: string) => ({
      contentAddress: address,
      digestAlgorithm: "blake3",
      digestPrimary: new Uint8Array(1),
      digestSha256: new Uint8Array(1),
      sizeBytes: 1,
      firstSeq: 1,
      storedAt: "",
    });
    await database.write(async ({ sql }) => {
      await sql.insert(objects).values(["a", "B", "ä"].map(object));
      const location = {
        storedAt: "",
        retrievalTier: "hot" as const,
        restoreStatus: "none" as const,
        status: "ok" as const,
      };
      await sql.insert(locations).values([
        { contentAddress: "a", backend: "x", ...location },
        { contentAddress: "a", backend: "y", ...location },
      ]);
    });
    const sql = database.reader;
    const joined = await sql
      .select({ address: objects.contentAddress, backend: locations.backend })
      .from(objects)
      .leftJoin(locations, eq(locations.contentAddress, objects.contentAddress))
      .orderBy(objects.contentAddress, locations.backend);
    // Bytewise, as in `COLLATE "C"`.
    expect(joined).toEqual([
      { address: "B", backend: null },
      { address: "a", backend: "x" },
      { address: "a", backend: "y" },
      { address: "ä", backend: null },
    ]);
    const copies = sql
      .select({ address: locations.contentAddress, n: count().as("n") })
      .from(locations)
      .groupBy(locations.contentAddress)
      .as("copies");
    const counted = await sql
      .select({ address: objects.contentAddress, n: copies.n })
      .from(objects)
      .innerJoin(copies, eq(copies.address, objects.contentAddress));
    expect(counted).toEqual([{ address: "a", n: 2 }]);
    const inUse = sql.select({ address: locations.contentAddress }).from(locations);
    const unused = await sql
      .select({ address: objects.contentAddress })
      .from(objects)
      .where(notInArray(objects.contentAddress, inUse))
      .orderBy(desc(objects.contentAddress));
    expect(unused.map(({ address }) => address)).toEqual(["ä", "B"]);
  });

  test("one participant may join, and only before the first write", async () => {
    const database = await openMigrated(place);
    database.join(new Recorder());
    expect(() => database.join(new Recorder())).toThrow(/One participant/);
  });

  test("a statement is built once and runs with other values each time", async () => {
    const database = await openMigrated(place);
    let built = 0;
    const put = statement((sql, t, p) => {
      built += 1;
      return sql
        .insert(t.retentionClasses)
        .values({ name: p("name"), durationDays: p("days"), definedSeq: 1 })
        .onConflictDoUpdate({
          target: t.retentionClasses.name,
          set: { durationDays: p("days") },
        });
    });
    const get = statement((sql, t, p) =>
      sql
        .select()
        .from(t.retentionClasses)
        .where(eq(t.retentionClasses.name, p("name")))
        .limit(p("n")),
    );
    await database.write(async (tx) => {
      expect(await put(tx.sql, { name: "a", days: 1 })).toEqual({ changes: 1 });
      await put(tx.sql, { name: "b", days: null });
    });
    await database.write((tx) => put(tx.sql, { name: "a", days: 2 }));
    expect(built).toBe(1);
    expect(await get(database.reader, { name: "a", n: 1 })).toEqual([
      { name: "a", durationDays: 2, definedSeq: 1 },
    ]);
    expect(await get(database.reader, { name: "b", n: 1 })).toEqual([
      { name: "b", durationDays: null, definedSeq: 1 },
    ]);
    await expect(get(database.reader, { name: "a" })).rejects.toMatchObject({ code: "internal" });
  });

  test("bytes, truth values, large numbers and counts are the same in both dialects", async () => {
    const database = await openMigrated(place);
    const { artifactFiles } = database.tables;
    const row = {
      packageId: "p",
      path: "a/ü",
      sizeBytes: 2 ** 53 - 1,
      mediaType: null,
      executable: true,
      digestAlgorithm: "blake3",
      digestPrimary: new Uint8Array([0, 255, 1]),
      digestSha256: new Uint8Array(0),
      contentAddress: "blake3:00",
      backend: "primary",
      storedAt: "2026-01-01T00:00:00.000Z",
      addedSeq: 1,
    };
    await database.write(async (tx) => {
      expect(await tx.sql.insert(artifactFiles).values(row).returning()).toEqual([row]);
    });
    const [read] = await database.reader.select().from(artifactFiles);
    expect(read).toEqual(row);
    expect(Object.getPrototypeOf(read?.digestPrimary)).toBe(Uint8Array.prototype);
    expect(await database.reader.select({ n: count() }).from(artifactFiles)).toEqual([{ n: 1 }]);
  });
});
