import { StoreError } from "@store/identity";
import type { Page, PageOptions } from "@store/registry";
import * as v from "valibot";

/** Cursors are opaque: base64url of the list's name and the key of its last row. */
export interface Cursor<Key> {
  /** The key in a cursor, undefined at the start; `invalid_cursor` unless this list gave it. */
  decode(cursor: string | undefined): Key | undefined;
  encode(key: Key): string;
}

const longestCursor = 1_024;
const mostItems = 1_000;

/** The cursors of a list, whose keys have these parts. */
export function cursorOf<const Parts extends v.TupleItems>(
  list: string,
  parts: Parts,
): Cursor<v.InferOutput<v.StrictTupleSchema<Parts, undefined>>> {
  const schema = v.strictTuple([v.literal(list), v.strictTuple(parts)]);
  return {
    decode(cursor) {
      if (cursor === undefined) return undefined;
      const parsed = v.safeParse(schema, decoded(cursor));
      if (parsed.success) return parsed.output[1];
      throw new StoreError(
        "invalid_cursor",
        "The cursor was not given by this list. Start the list again without a cursor.",
      );
    },
    encode: (key) => Buffer.from(JSON.stringify([list, key])).toString("base64url"),
  };
}

function decoded(cursor: unknown): unknown {
  if (typeof cursor !== "string" || cursor.length > longestCursor) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
}

/** The number of rows to give: 100, or what the caller asks for between 1 and 1,000. */
export function pageLimit({ limit = 100 }: PageOptions): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= mostItems) return limit;
  throw new StoreError(
    "invalid_argument",
    `The limit of a page must be a whole number from 1 to ${mostItems}.`,
    { context: { limit: mostItems, actual: String(limit) } },
  );
}

/** A page from up to `limit + 1` rows: the one too many says that there is more. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  of: { readonly cursor: (row: Row) => string; readonly item: (row: Row) => Item },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const items = shown.map((row) => of.item(row));
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, cursor: of.cursor(last) };
}
