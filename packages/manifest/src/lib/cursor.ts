/**
 * Reads one map of an encoded document piece by piece: its keys, the elements of its arrays, its
 * other values whole. What is read is held against its canonical form at once; errors are
 * `invalid_cbor` or `invalid_json`, and `limit_exceeded`.
 */
export interface Cursor {
  /** Enters the map that comes next; false where another value comes. */
  enterMap(): boolean;
  /** The next key of the map, or nothing at its end. Keys come in their canonical order. */
  nextKey(): string | undefined;
  /** Enters the array that comes next, a value of the map; false where another value comes. */
  enterArray(): boolean;
  /** Whether the array has another element, which comes next; leaves the array where not. */
  hasElement(): boolean;
  /** The next value, whole. */
  item(): unknown;
  /** Throws where anything is left. */
  end(): void;
}

/** A cursor that can pass over a value without reading it. */
export interface SkippingCursor extends Cursor {
  /** Passes over the next value, of which nothing but its end is found out. */
  skip(): void;
}
