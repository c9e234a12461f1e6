import type { Sql, Tables } from "@store/database";
import { and, asc, eq, gt } from "drizzle-orm";

import { decodeCursor, page, pageLimit } from "./pages.ts";
import { fileInfo, type FileRow } from "./rows.ts";
import type { FileInfo, Page, PageOptions } from "../types.ts";

/** The files of a package in bytewise order of path. */
export async function listFiles(
  sql: Sql,
  tables: Tables,
  packageId: string,
  options: PageOptions = {},
): Promise<Page<FileInfo>> {
  const limit = pageLimit(options.limit);
  const [after] = decodeCursor("files", options.cursor, 1) ?? [""];
  const rows = await filesAfter(sql, tables, packageId, after ?? "", limit + 1);
  return page("files", rows, limit, (row) => [row.path], fileInfo);
}

/** Every file of a package, by pages of the index. */
export async function* allFiles(
  sql: Sql,
  tables: Tables,
  packageId: string,
): AsyncGenerator<FileRow[]> {
  const pageSize = 2_000;
  let after = "";
  for (;;) {
    const rows = await filesAfter(sql, tables, packageId, after, pageSize);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = last.path;
  }
}

async function filesAfter(
  sql: Sql,
  { artifactFiles }: Tables,
  packageId: string,
  after: string,
  limit: number,
): Promise<FileRow[]> {
  return await sql
    .select()
    .from(artifactFiles)
    .where(and(eq(artifactFiles.packageId, packageId), gt(artifactFiles.path, after)))
    .orderBy(asc(artifactFiles.path))
    .limit(limit);
}
