import { StoreError } from "@store/identity";
import type { Cursor } from "./cursor.ts";
import { canonicalText, decodeUtf8, type JsonValue } from "./json.ts";

/** The limits that a cursor keeps, so that no input can cost more than its size allows. */
export interface JsonCursorLimits {
  /** How many arrays and objects one item may nest in one another. */
  readonly maxItemDepth: number;
  /** How many bytes one item may have. */
  readonly maxItemBytes: number;
}

const byte = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** Reads a canonical JSON object (RFC 8785), whose keys ascend by UTF-16 code units. */
export class JsonCursor implements Cursor {
  readonly #bytes: Uint8Array;
  readonly #limits: JsonCursorLimits;
  #position = 0;
  #lastKey: string | undefined;
  #isArrayFresh = false;

  constructor(bytes: Uint8Array, limits: JsonCursorLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  enterMap(): boolean {
    return this.#skip(byte.openBrace);
  }

  nextKey(): string | undefined {
    if (this.#skip(byte.closeBrace)) return undefined;
    if (this.#lastKey !== undefined) {
      this.#expect(byte.comma, "a comma or the end of the object is expected");
    }
    const start = this.#position;
    const key = this.item();
    if (typeof key !== "string") throw invalidJson("a key is expected", start);
    if (this.#lastKey !== undefined && this.#lastKey >= key) {
      throw invalidJson("keys are not sorted or one is repeated", start);
    }
    this.#lastKey = key;
    this.#expect(byte.colon, "a colon is expected");
    return key;
  }

  enterArray(): boolean {
    this.#isArrayFresh = true;
    return this.#skip(byte.openBracket);
  }

  hasElement(): boolean {
    if (this.#skip(byte.closeBracket)) return false;
    if (!this.#isArrayFresh) {
      this.#expect(byte.comma, "a comma or the end of the array is expected");
    }
    this.#isArrayFresh = false;
    return true;
  }

  item(): JsonValue {
    const start = this.#position;
    const end = this.#endOfItem(start);
    const text = decodeUtf8(this.#bytes.subarray(start, end), this.#limits.maxItemBytes);
    let value: JsonValue;
    let canonical: string;
    try {
      value = JSON.parse(text);
      canonical = canonicalText(value);
    } catch (cause) {
      throw invalidJson("a value that canonical JSON can hold is expected", start, cause);
    }
    if (canonical !== text) throw invalidJson("the value is not in canonical form", start);
    this.#position = end;
    return value;
  }

  end(): void {
    if (this.#position === this.#bytes.length) return;
    throw invalidJson("bytes follow the object", this.#position);
  }

  /** Finds where a value ends by its brackets and quotes alone; the parser judges the rest. */
  #endOfItem(start: number): number {
    const bytes = this.#bytes;
    const { maxItemBytes, maxItemDepth } = this.#limits;
    const limit = Math.min(bytes.length, start + maxItemBytes);
    let depth = 0;
    let position = start;
    for (; position < limit; position += 1) {
      const current = bytes[position];
      if (current === byte.quote) {
        position = this.#endOfString(position, limit);
        continue;
      }
      if (depth === 0 && position > start && isDelimiter(current)) return position;
      if (current === byte.openBrace || current === byte.openBracket) {
        depth += 1;
        if (depth > maxItemDepth) throw tooMuch("is nested more deeply", start, maxItemDepth);
      } else if (current === byte.closeBrace || current === byte.closeBracket) {
        depth -= 1;
        if (depth <= 0) return position + 1;
      }
    }
    if (position < bytes.length) throw tooMuch("has more bytes", start, maxItemBytes);
    return position;
  }

  #endOfString(start: number, limit: number): number {
    for (let position = start + 1; position < limit; position += 1) {
      const current = this.#bytes[position];
      if (current === byte.quote) return position;
      if (current === byte.backslash) position += 1;
    }
    return limit - 1;
  }

  #skip(expected: number): boolean {
    if (this.#bytes[this.#position] !== expected) return false;
    this.#position += 1;
    return true;
  }

  #expect(expected: number, otherwise: string): void {
    if (!this.#skip(expected)) throw invalidJson(otherwise, this.#position);
  }
}

function isDelimiter(current: number | undefined): boolean {
  return (
    current === byte.comma ||
    current === byte.colon ||
    current === byte.closeBrace ||
    current === byte.closeBracket
  );
}

function invalidJson(reason: string, offset: number, cause?: unknown): StoreError {
  return new StoreError(
    "invalid_json",
    `Not canonical JSON at byte ${offset}: ${reason}. Write it as RFC 8785 says.`,
    cause === undefined ? {} : { cause },
  );
}

function tooMuch(what: string, offset: number, limit: number): StoreError {
  return new StoreError(
    "limit_exceeded",
    `The JSON value at byte ${offset} ${what} than ${limit}; shorten it.`,
    { context: { limit } },
  );
}
