import type { Row, Sql, Tables } from "@store/database";
import { parseContentAddress } from "@store/identity";
import { and, asc, eq, gt } from "drizzle-orm";

import { decodeCursor, page, pageLimit } from "./pages.ts";
import type { Page, PageOptions, TagInfo } from "../types.ts";

function selectTags(sql: Sql, { tags, artifactPackages }: Tables) {
  return sql
    .select({ tag: tags, target: artifactPackages })
    .from(tags)
    .innerJoin(artifactPackages, eq(tags.packageId, artifactPackages.packageId));
}

interface TagRow {
  readonly tag: Row<"tags">;
  readonly target: Row<"artifactPackages">;
}

/** A tag and the package that it targets, or undefined. */
export async function findTag(
  sql: Sql,
  tables: Tables,
  namespace: string,
  name: string,
  tag: string,
): Promise<TagRow | undefined> {
  const { tags } = tables;
  const [row] = await selectTags(sql, tables).where(
    and(eq(tags.namespace, namespace), eq(tags.name, name), eq(tags.tag, tag)),
  );
  return row;
}

/** The tags of a name, in order. */
export async function listTags(
  sql: Sql,
  tables: Tables,
  namespace: string,
  name: string,
  options: PageOptions = {},
): Promise<Page<TagInfo>> {
  const { tags } = tables;
  const [after] = decodeCursor("tags", options.cursor, 1) ?? [""];
  const limit = pageLimit(options.limit);
  const rows = await selectTags(sql, tables)
    .where(and(eq(tags.namespace, namespace), eq(tags.name, name), gt(tags.tag, after ?? "")))
    .orderBy(asc(tags.tag))
    .limit(limit + 1);
  return page("tags", rows, limit, (row) => [row.tag.tag], tagInfo);
}

export function tagInfo({ tag, target }: TagRow): TagInfo {
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
