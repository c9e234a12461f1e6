import type { Query, Row, Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { and, asc, desc, eq, getColumns, sql as raw } from "drizzle-orm";

import { shown, textOf } from "../arguments.ts";
import type { MetadataSchemaSummary, Page, PageOptions } from "../types.ts";
import { cursorOf, integer, pageLimit, pageOf, text } from "./pages.ts";
import { schemaSummary } from "./rows.ts";

const referencePattern = /^([a-z0-9][a-z0-9._-]{0,127})(?:@([1-9][0-9]{0,14}))?$/;

/** A metadata schema by `name` (its newest revision) or `name@revision`, or undefined. */
export async function findSchema(
  sql: Sql,
  { metadataSchemas: t }: Tables,
  reference: string,
): Promise<Row<"metadataSchemas"> | undefined> {
  const [, name, revision] = referencePattern.exec(textOf("metadata schema", reference)) ?? [];
  if (name === undefined) return undefined;
  const isRevision = revision === undefined ? undefined : eq(t.revision, Number(revision));
  const [row] = await sql
    .select()
    .from(t)
    .where(and(eq(t.name, name), isRevision))
    .orderBy(desc(t.revision))
    .limit(1);
  return row;
}

/** The same; throws `schema_not_found` where there is none. */
export async function requireSchema(
  sql: Sql,
  tables: Tables,
  reference: string,
): Promise<Row<"metadataSchemas">> {
  const row = await findSchema(sql, tables, reference);
  if (row !== undefined) return row;
  throw new StoreError(
    "schema_not_found",
    `There is no metadata schema ${shown(reference)}. Register it, or name one as name or name@revision.`,
    { context: { reference: reference.slice(0, 200) } },
  );
}

const cursor = cursorOf("schemas", [text, integer]);

/** Every revision of every metadata schema, by name and revision. */
export async function listMetadataSchemas(
  sql: Sql,
  tables: Tables,
  options: PageOptions,
): Promise<Page<MetadataSchemaSummary>> {
  const limit = pageLimit(options);
  const after = cursor.decode(options.cursor) ?? ["", 0];
  const rows = await selectSchemas(sql, tables, { after, limit: limit + 1 });
  return pageOf(rows, limit, {
    cursor: (row) => cursor.encode([row.name, row.revision]),
    item: schemaSummary,
  });
}

/** The schemas of one page, without their bytes. */
export function selectSchemas(
  sql: Sql,
  { metadataSchemas: t }: Tables,
  { after, limit }: { readonly after: readonly [string, number]; readonly limit: number },
): Query<Omit<Row<"metadataSchemas">, "schema">[]> {
  const { schema: _, ...columns } = getColumns(t);
  return sql
    .select(columns)
    .from(t)
    .where(raw`(${t.name}, ${t.revision}) > (${after[0]}, ${after[1]})`)
    .orderBy(asc(t.name), asc(t.revision))
    .limit(limit);
}
