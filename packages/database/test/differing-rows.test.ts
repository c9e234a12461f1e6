import { describe, expect, test } from "vitest";

import { differingRows, type Database, type DifferingRow, type NewRow } from "../src/index.ts";
import { newPlace, openPlace, places } from "./dialects.ts";

type Tag = NewRow<"tags">;

/** A tag, by which texts of every length in bytes can be told apart. */
function tagOf(tag: string, over: Partial<Tag> = {}): Tag {
  const seq = { setSeq: 1, setBy: "ada", setAt: "2026-01-02T03:04:05.678Z" };
  return { namespace: "acme", name: "app", tag, packageId: "p", ...seq, ...over };
}

async function holding(url: string, rows: readonly Tag[]): Promise<Database> {
  const database = await openPlace(url);
  await database.migrate();
  await database.write(async ({ sql, tables }) => {
    for (const row of rows) await sql.insert(tables.tags).values(row);
  });
  return database;
}

async function differencesOf(one: Database, other: Database): Promise<DifferingRow<"tags">[]> {
  const [left, right] = [one, other].map(({ reader: sql, tables }) => ({ sql, tables }));
  if (left === undefined || right === undefined) throw new Error("There are two databases.");
  return Array.fromAsync(differingRows(left, right, "tags"));
}

describe.each(places)("the rows of %s, held against those of another database", (place) => {
  // Of which UTF-16 and UTF-8 have another order.
  const names = ["", "a", "b", "\u{ffee}", "\u{1f600}", "é", "zz"];

  test.each(places)("differ where they are missing, surplus or changed: %s", async (other) => {
    const common = names.map((name) => tagOf(name));
    const mine = [...common, tagOf("mine"), tagOf("both", { packageId: "q" })];
    const its = [...common, tagOf("\u{1f601}"), tagOf("both")];
    const one = await holding(await newPlace(place), mine);
    const two = await holding(await newPlace(other), its);
    expect(await differencesOf(one, two)).toEqual([
      { one: tagOf("both", { packageId: "q" }), other: tagOf("both") },
      { one: tagOf("mine") },
      { other: tagOf("\u{1f601}") },
    ]);
    expect(await differencesOf(one, one)).toEqual([]);
  });

  test("are read page by page, each once", async () => {
    const rows = Array.from({ length: 2_500 }, (_, index) => tagOf(`t${index}`));
    const one = await holding(await newPlace(place), []);
    await one.write(async ({ sql, tables }) => {
      for (let at = 0; at < rows.length; at += 500) {
        await sql.insert(tables.tags).values(rows.slice(at, at + 500));
      }
    });
    const two = await holding(await newPlace(place), [tagOf("t7")]);
    const found = await differencesOf(one, two);
    expect(found.length).toBe(2_499);
    expect(new Set(found.map(({ one: row }) => row?.tag)).size).toBe(2_499);
    let seen = 0;
    const side = { sql: one.reader, tables: one.tables };
    const none = differingRows(side, side, "tags", () => {
      seen += 1;
    });
    expect(await Array.fromAsync(none)).toEqual([]);
    expect(seen).toBe(2_500);
  });
});
