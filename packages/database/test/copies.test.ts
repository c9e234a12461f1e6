import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Database, NewRow, Sql } from "../src/index.ts";
import { openMigrated, places } from "./dialects.ts";

const row = fc.record({
  name: fc.constantFrom("a", "B", "ä", "-", "", "z\u{10ffff}"),
  durationDays: fc.option(fc.constantFrom(0, 1, 2 ** 53 - 1)),
  definedSeq: fc.integer({ min: 1, max: 2 }),
});
const rows = fc.uniqueArray(row, { selector: ({ name }) => name });

async function replace(
  sql: Sql,
  { retentionClasses }: Database["tables"],
  values: NewRow<"retentionClasses">[],
): Promise<void> {
  await sql.delete(retentionClasses);
  if (values.length > 0) await sql.insert(retentionClasses).values(values);
}

describe.each(places)("two copies on %s", (place) => {
  test("differ by the rows that a naive comparison finds, and are the same after a swap", async () => {
    const database = await openMigrated(place);
    const scratch = await database.openScratch();
    const { tables } = database;
    const nothing = (): Promise<void> => Promise.resolve();
    const property = fc.asyncProperty(rows, rows, async (live, rebuilt) => {
      await database.write((tx) => replace(tx.sql, tables, live));
      await scratch.transaction(() => replace(scratch.sql, tables, rebuilt));
      const names = new Set([...live, ...rebuilt].map(({ name }) => name));
      const textOf = (list: typeof live, name: string): string =>
        JSON.stringify(list.find((one) => one.name === name) ?? null);
      const changed = [...names].filter((name) => textOf(live, name) !== textOf(rebuilt, name));

      const [difference] = await scratch.compare(["retentionClasses"], nothing);
      expect(difference?.count ?? 0).toBe(changed.length);
      const keys = difference?.sample.map(({ key }) => key["name"]) ?? [];
      // Bytewise order, as both databases keep it.
      const order = (a: string, b: string): number =>
        Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(keys).toEqual(changed.toSorted(order));

      await scratch.swap(["retentionClasses"], nothing);
      expect(await scratch.compare(["retentionClasses"], nothing)).toEqual([]);
      const { name } = tables.retentionClasses;
      const after = await database.reader.select().from(tables.retentionClasses).orderBy(name);
      expect(after).toEqual(rebuilt.toSorted((a, b) => order(a.name, b.name)));
    });
    await fc.assert(property, { numRuns: place === "PostgreSQL" ? 15 : 50 });
    await scratch.close();
  });
});
