import { statement, type Sql } from "@store/database";
import { and, asc, eq, gt } from "drizzle-orm";

import type { FileInfo, Page, PageOptions } from "../types.ts";
import { cursorOf, pageLimit, pageOf, text } from "./pages.ts";
import { fileInfo, type FileRow } from "./rows.ts";

const selectFiles = statement((sql, { artifactFiles }, p) =>
  sql
    .select()
    .from(artifactFiles)
    .where(and(eq(artifactFiles.packageId, p("packageId")), gt(artifactFiles.path, p("after"))))
    .orderBy(asc(artifactFiles.path))
    .limit(p("limit")),
);

const cursor = cursorOf("files", [text]);

/** The files of a package in bytewise order of path. */
export async function listFiles(
  sql: Sql,
  packageId: string,
  options: PageOptions,
): Promise<Page<FileInfo>> {
  const limit = pageLimit(options);
  const [after] = cursor.decode(options.cursor) ?? [""];
  const rows = await selectFiles(sql, { packageId, after, limit: limit + 1 });
  return pageOf(rows, limit, { cursor: (row) => cursor.encode([row.path]), item: fileInfo });
}

/** Rows read at once: few milliseconds' work, between which the event loop turns. */
const rowsAtOnce = 1_000;

/** Every file of a package, by pages of the index. */
export async function* allFiles(sql: Sql, packageId: string): AsyncGenerator<FileRow[]> {
  let after = "";
  for (;;) {
    const rows = await selectFiles(sql, { packageId, after, limit: rowsAtOnce });
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsAtOnce) return;
    after = last.path;
  }
}
