import type { Query, Row, Sql, Tables } from "@store/database";
import { parseContentAddress } from "@store/identity";
import { and, asc, eq, gt } from "drizzle-orm";

import type { Scope } from "../scope.ts";
import type { Page, PageOptions, TagInfo } from "../types.ts";
import { cursorOf, pageLimit, pageOf, text } from "./pages.ts";
import type { PackageRow } from "./rows.ts";

interface TagName {
  readonly namespace: string;
  readonly name: string;
  readonly tag: string;
}

/** A tag, and what is shown of its target. */
interface TagRow {
  readonly tag: Row<"tags">;
  readonly target: Pick<PackageRow, "version" | "variant" | "manifestDigest">;
}

/** The tag's row, or undefined. */
export async function findTag(
  sql: Sql,
  { tags }: Tables,
  { namespace, name, tag }: TagName,
): Promise<Row<"tags"> | undefined> {
  const [row] = await sql
    .select()
    .from(tags)
    .where(and(eq(tags.namespace, namespace), eq(tags.name, name), eq(tags.tag, tag)));
  return row;
}

const cursor = cursorOf("tags", [text]);

/** The tags of a name, in order. */
export async function listTags(
  sql: Sql,
  tables: Tables,
  fullName: { readonly namespace: string; readonly name: string },
  options: PageOptions,
  scope: Scope,
): Promise<Page<TagInfo>> {
  const limit = pageLimit(options);
  const [after] = cursor.decode(options.cursor) ?? [""];
  if (!scope.covers(fullName)) return { items: [] };
  const rows = await selectTags(sql, tables, fullName, { after, limit: limit + 1 });
  return pageOf(rows, limit, {
    cursor: (row) => cursor.encode([row.tag.tag]),
    item: ({ tag, target }) => tagInfo(tag, target),
  });
}

/** The tags of one page. */
export function selectTags(
  sql: Sql,
  { tags, artifactPackages }: Tables,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { after, limit }: { readonly after: string; readonly limit: number },
): Query<TagRow[]> {
  const { version, variant, manifestDigest } = artifactPackages;
  return sql
    .select({ tag: tags, target: { version, variant, manifestDigest } })
    .from(tags)
    .innerJoin(artifactPackages, eq(tags.packageId, artifactPackages.packageId))
    .where(and(eq(tags.namespace, namespace), eq(tags.name, name), gt(tags.tag, after)))
    .orderBy(asc(tags.tag))
    .limit(limit);
}

export function tagInfo(tag: TagRow["tag"], target: TagRow["target"]): TagInfo {
  return {
    namespace: tag.namespace,
    name: tag.name,
    tag: tag.tag,
    packageId: tag.packageId,
    version: target.version,
    ...(target.variant === "" ? {} : { variant: target.variant }),
    manifestDigest: parseContentAddress(target.manifestDigest ?? ""),
    setAt: tag.setAt,
    setBy: tag.setBy,
  };
}
