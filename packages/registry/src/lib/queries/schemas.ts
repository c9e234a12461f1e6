import type { Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";
import { and, asc, desc, eq, sql as raw } from "drizzle-orm";

import { decodeCursor, page, pageLimit } from "./pages.ts";
import { schemaInfo } from "./rows.ts";
import type { MetadataSchemaInfo, Page, PageOptions } from "../types.ts";

/** A metadata schema by `name` (its newest revision) or `name@revision`. */
export async function getMetadataSchema(
  sql: Sql,
  tables: Tables,
  reference: string,
): Promise<MetadataSchemaInfo> {
  const { metadataSchemas: t } = tables;
  const [, name, revision] = /^([^@]+)(?:@([1-9][0-9]{0,8}))?$/.exec(reference) ?? [];
  const [row] =
    name === undefined
      ? []
      : await sql
          .select()
          .from(t)
          .where(
            and(
              eq(t.name, name),
              revision === undefined ? undefined : eq(t.revision, Number(revision)),
            ),
          )
          .orderBy(desc(t.revision))
          .limit(1);
  if (row !== undefined) return schemaInfo(row);
  throw new StoreError(
    "schema_not_found",
    `There is no metadata schema "${reference.slice(0, 200)}". Register it, or name one as name or name@revision.`,
    { context: { reference: reference.slice(0, 200) } },
  );
}

/** Every revision of every metadata schema, by name and revision. */
export async function listMetadataSchemas(
  sql: Sql,
  { metadataSchemas: t }: Tables,
  options: PageOptions = {},
): Promise<Page<MetadataSchemaInfo>> {
  const limit = pageLimit(options.limit);
  const [name, revision] = decodeCursor("schemas", options.cursor, 2) ?? ["", "0"];
  const rows = await sql
    .select()
    .from(t)
    .where(raw`(${t.name}, ${t.revision}) > (${name}, ${Number(revision)})`)
    .orderBy(asc(t.name), asc(t.revision))
    .limit(limit + 1);
  return page("schemas", rows, limit, (row) => [row.name, String(row.revision)], schemaInfo);
}
