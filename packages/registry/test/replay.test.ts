import { viewTables } from "@store/database";
import { account, rounds } from "@store/testing/prove";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { countedIds, dialects, openTestInstance, publish, type TestInstance } from "./instance.ts";
import { operation, runAll, type World } from "./operations.ts";

const operationCount = rounds(1_000);

function worldOf({ registry, advance }: TestInstance): World {
  return { registry, advance, packages: [], holds: [] };
}

/** Every row of every view, in the order of its text. */
async function viewRows({ database }: TestInstance): Promise<Record<string, string[]>> {
  const views: Record<string, string[]> = {};
  for (const table of viewTables) {
    const rows = await database.reader.select().from(database.tables[table]);
    views[table] = rows.map((row) => JSON.stringify(row)).toSorted();
  }
  return views;
}

describe("replay", () => {
  test("finds no difference after random commands, and both databases hold equal rows", async () => {
    const property = fc.asyncProperty(
      fc.array(operation, { minLength: operationCount, maxLength: operationCount }),
      async (operations) => {
        await using sqlite = await openTestInstance("sqlite", { ids: countedIds() });
        await using postgres = await openTestInstance("postgres", { ids: countedIds() });
        const outcomes = await runAll(worldOf(sqlite), operations);
        expect(await runAll(worldOf(postgres), operations)).toEqual(outcomes);
        expect(await sqlite.registry.replay({ check: true })).toMatchObject({ differences: [] });
        expect(await postgres.registry.replay({ check: true })).toMatchObject({ differences: [] });
        const before = await viewRows(sqlite);
        expect(await viewRows(postgres)).toEqual(before);
        await sqlite.registry.replay();
        await postgres.registry.replay();
        expect(await viewRows(sqlite)).toEqual(before);
        expect(await viewRows(postgres)).toEqual(before);
        await sqlite.registry.verifyLog();
        await postgres.registry.verifyLog();
        const { size } = await sqlite.registry.head();
        account("replay", { operations: operations.length, events: size });
      },
    );
    await fc.assert(property, { numRuns: 2, endOnFailure: true });
  });

  test.each(dialects)("names rows that the events do not account for on %s", async (dialect) => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const { id } = await publish(registry, { version: "1.0.0" });
    await database.write(async ({ sql, tables }) => {
      await sql.update(tables.artifactPackages).set({ fileCount: 7 });
      await sql.insert(tables.tags).values({
        namespace: "acme",
        name: "app",
        tag: "forged",
        packageId: id,
        setAt: "2026-01-02T03:04:05.678Z",
        setBy: "nobody",
        setSeq: 99,
      });
      await sql.delete(tables.objects);
    });
    const { differences } = await registry.replay({ check: true });
    expect(differences.map((each) => [each.table, each.count])).toEqual([
      ["artifactPackages", 1],
      ["objects", 1],
      ["tags", 1],
    ]);
    await registry.replay();
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
    expect(await registry.getPackage(id)).toMatchObject({ fileCount: 1 });
  });

  test.each(dialects)("leaves operational tables alone on %s", async (dialect) => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const options = { idempotencyKey: "key" };
    await registry.createPackage({ namespace: "a", name: "b", version: "1" }, options);
    await registry.replay();
    const keys = await database.reader.select().from(database.tables.idempotencyKeys);
    expect(keys).toHaveLength(1);
  });

  test.each(dialects)("goes on while commands are written on %s", async (dialect) => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    for (let index = 0; index < 20; index += 1)
      await publish(registry, { version: `1.0.${index}` });
    const writing = Array.from({ length: 20 }, (_, index) =>
      publish(registry, { version: `2.0.${index}` }),
    );
    const [replayed] = await Promise.all([registry.replay(), ...writing]);
    expect(replayed.differences).toEqual([]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
    expect((await registry.listVersions("acme", "app")).items).toHaveLength(40);
  });
});
