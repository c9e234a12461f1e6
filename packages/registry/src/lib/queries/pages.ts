import { StoreError } from "@store/identity";

import { limits } from "../limits.ts";
import type { Page } from "../types.ts";

/**
 * Cursors are opaque: base64url of the list's name and the key of its last row, so that the next
 * page follows the index from there. A cursor holds nothing secret and needs no memory here.
 */

/** The key in a cursor, or undefined at the start; `invalid_cursor` for one of another list. */
export function decodeCursor(
  list: string,
  cursor: string | undefined,
  length: number,
): string[] | undefined {
  if (cursor === undefined) return undefined;
  const key = cursor.length <= 4_096 ? parseKey(cursor) : undefined;
  if (key?.[0] === list && key.length === length + 1) return key.slice(1);
  throw new StoreError(
    "invalid_cursor",
    "The cursor was not given by this list. Start the list again without a cursor.",
  );
}

function parseKey(cursor: string): string[] | undefined {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(key) && key.every((part) => typeof part === "string")) return key;
  } catch {
    // Not JSON: the caller hears that the cursor is none of ours.
  }
  return undefined;
}

/** The number of rows to give: 100, or what the caller asks for between 1 and 1,000. */
export function pageLimit(limit = 100): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= limits.pageSize) return limit;
  throw new StoreError("invalid_argument", `A page has 1 to ${limits.pageSize} rows.`, {
    context: { limit: limits.pageSize, actual: limit },
  });
}

/** A page from up to `limit + 1` rows: the one too many says that there is more. */
export function page<Row, Item>(
  list: string,
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly string[],
  itemOf: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(itemOf);
  if (rows.length <= limit || last === undefined) return { items };
  const cursor = Buffer.from(JSON.stringify([list, ...keyOf(last)])).toString("base64url");
  return { items, cursor };
}
