import type { Sql, Tables } from "@store/database";

/** Where projecting writes: the live views, or the scratch ones of a replay. */
export interface ViewWriter {
  readonly sql: Sql;
  readonly tables: Tables;
}
