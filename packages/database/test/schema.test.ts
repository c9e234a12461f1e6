import { and, count, desc, eq, gt, sql } from "drizzle-orm";
import { expectTypeOf, test } from "vitest";
import type { NeutralTables } from "../src/lib/column-types.ts";
import type { postgresTables } from "../src/lib/postgres/schema.ts";
import { sqliteTables } from "../src/lib/sqlite/schema.ts";
import type { Sql } from "../src/lib/sql.ts";
import type { NewRow, Row, Tables } from "../src/lib/tables.ts";

type Postgres = NeutralTables<typeof postgresTables>;
type Rows<T extends Record<string, { $inferSelect: unknown; $inferInsert: unknown }>> = {
  [K in keyof T]: { row: T[K]["$inferSelect"]; insert: T[K]["$inferInsert"] };
};

test("both schemas give the same rows and take the same inserts", () => {
  expectTypeOf<Rows<Postgres>>().toEqualTypeOf<Rows<Tables>>();
  expectTypeOf<Postgres>().toEqualTypeOf<Tables>();
});

test("rows have the types of their columns", () => {
  expectTypeOf<Row<"events">["seq"]>().toEqualTypeOf<number>();
  expectTypeOf<Row<"artifactFiles">["executable"]>().toEqualTypeOf<boolean>();
  expectTypeOf<Row<"artifactPackages">["metadata"]>().toEqualTypeOf<Uint8Array | null>();
  expectTypeOf<NewRow<"retentionClasses">["durationDays"]>().toEqualTypeOf<
    number | null | undefined
  >();
});

test("queries infer their rows", () => {
  const infer = (q: Sql, t: Tables) => ({
    all: q.select().from(t.tags).where(eq(t.tags.name, "x")).orderBy(desc(t.tags.setSeq)).limit(1),
    some: q.select({ n: count(), tag: t.tags.tag }).from(t.tags).groupBy(t.tags.tag),
    left: q
      .select({ id: t.tags.packageId, version: t.artifactPackages.version })
      .from(t.tags)
      .leftJoin(t.artifactPackages, eq(t.tags.packageId, t.artifactPackages.packageId)),
    whole: q
      .select()
      .from(t.tags)
      .innerJoin(t.artifactPackages, eq(t.tags.packageId, t.artifactPackages.packageId)),
    returned: q
      .update(t.objects)
      .set({ sizeBytes: sql`${t.objects.sizeBytes} + 1` })
      .where(and(gt(t.objects.firstSeq, 1)))
      .returning({ a: t.objects.contentAddress }),
    inserted: q
      .insert(t.retentionClasses)
      .values([{ name: "a", definedSeq: 1 }])
      .onConflictDoUpdate({ target: t.retentionClasses.name, set: { definedSeq: 2 } }),
  });
  type Queries = { [K in keyof ReturnType<typeof infer>]: Awaited<ReturnType<typeof infer>[K]> };
  expectTypeOf<Queries["all"]>().toEqualTypeOf<Row<"tags">[]>();
  expectTypeOf<Queries["some"]>().toEqualTypeOf<{ n: number; tag: string }[]>();
  expectTypeOf<Queries["left"]>().toEqualTypeOf<{ id: string; version: string | null }[]>();
  expectTypeOf<Queries["whole"][number]["artifact_packages"]["version"]>().toEqualTypeOf<string>();
  expectTypeOf<Queries["returned"]>().toEqualTypeOf<{ a: string }[]>();
  expectTypeOf<Queries["inserted"]>().toEqualTypeOf<{ readonly changes: number }>();
  // @ts-expect-error: a number column is not compared with text
  void (() => infer && eq(sqliteTables.events.seq, "1"));
  // @ts-expect-error: a column that may not be null must be given
  void ((q: Sql, t: Tables) => q.insert(t.retentionClasses).values({ name: "a" }));
});
