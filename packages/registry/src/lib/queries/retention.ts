import type { Sql, Tables } from "@store/database";
import { and, asc, eq, gt, isNotNull, isNull } from "drizzle-orm";

import { decodeCursor, page, pageLimit } from "./pages.ts";
import { holdInfo } from "./rows.ts";
import type { HoldInfo, Page, PageOptions, RetentionClass } from "../types.ts";

/** The classes that the instance has, in the order of their definition. */
export async function listRetentionClasses(
  sql: Sql,
  { retentionClasses }: Tables,
): Promise<RetentionClass[]> {
  const rows = await sql.select().from(retentionClasses).orderBy(asc(retentionClasses.definedSeq));
  return rows.map(({ name, durationDays }) => ({
    name,
    ...(durationDays === null ? {} : { durationDays }),
  }));
}

/** Holds in the order in which they were placed. */
export async function listHolds(
  sql: Sql,
  { retentionHolds: t }: Tables,
  filter: { readonly packageId?: string; readonly released?: boolean } = {},
  options: PageOptions = {},
): Promise<Page<HoldInfo>> {
  const limit = pageLimit(options.limit);
  const [after] = decodeCursor("holds", options.cursor, 1) ?? [""];
  const rows = await sql
    .select()
    .from(t)
    .where(
      and(
        gt(t.holdId, after ?? ""),
        filter.packageId === undefined ? undefined : eq(t.packageId, filter.packageId),
        filter.released === undefined
          ? undefined
          : filter.released
            ? isNotNull(t.releasedAt)
            : isNull(t.releasedAt),
      ),
    )
    .orderBy(asc(t.holdId))
    .limit(limit + 1);
  return page("holds", rows, limit, (row) => [row.holdId], holdInfo);
}
