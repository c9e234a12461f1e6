import { StoreError } from "@store/identity";
import canonicalize from "canonicalize";
import { scanJson } from "./json-scan.ts";

/** What JSON can say. Numbers are IEEE 754 doubles, as in RFC 8785. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonValue[]
  | { [key: string]: JsonValue };

/** How much one JSON text may be. */
export interface JsonLimits {
  /** How many arrays and objects may be nested in one another; 64 unless told. */
  readonly maxDepth?: number;
  /** The length of the text in UTF-8, in bytes; 16 MiB unless told. */
  readonly maxBytes?: number;
}

/** The limits that hold where none are given. */
export const defaultJsonLimits: Required<JsonLimits> = Object.freeze({
  maxDepth: 64,
  maxBytes: 16 * 1024 * 1024,
});

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads one JSON text (RFC 8259) and refuses what would not survive being written again: keys
 * given twice, lone surrogates, numbers beyond a double, and integers that a double would change.
 *
 * @throws {StoreError} `invalid_json`, or `limit_exceeded` where it is too long or nested too deep
 */
export function parseJson(text: string | Uint8Array, limits: JsonLimits = {}): JsonValue {
  const { maxDepth, maxBytes } = { ...defaultJsonLimits, ...limits };
  const source = typeof text === "string" ? text : decodeUtf8(text, maxBytes);
  if (typeof text === "string" && isLongerThan(text, maxBytes)) throw tooLong(maxBytes);
  const { members, inexact } = scanJson(source, maxDepth);
  let value: JsonValue;
  try {
    value = JSON.parse(source);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError("invalid_json", `The text is not JSON: ${reason}.`, { cause });
  }
  if (inexact !== undefined) {
    throw new StoreError(
      "invalid_json",
      `The number ${inexact} has more digits than a double holds; write it as a string.`,
    );
  }
  if (countMembers(value, maxDepth) !== members) {
    throw new StoreError("invalid_json", "The JSON has a key twice in one object; remove one.");
  }
  return value;
}

/**
 * The canonical form of a JSON value (RFC 8785), in UTF-8. Only what JSON can say is accepted:
 * nothing is dropped or converted on the way.
 *
 * @throws {StoreError} `invalid_json`, or `limit_exceeded` where it is nested too deeply
 */
export function canonicalizeJson(value: unknown, limits: JsonLimits = {}): Uint8Array {
  const { maxDepth, maxBytes } = { ...defaultJsonLimits, ...limits };
  countMembers(value, maxDepth);
  const bytes = textEncoder.encode(canonicalText(value));
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  return bytes;
}

/** The canonical form of a value that is known to be JSON. */
export function canonicalText(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError("invalid_json", `The value cannot be canonical JSON: ${reason}.`, {
      cause,
    });
  }
  if (text !== undefined) return text;
  throw new StoreError("invalid_json", `A ${typeof value} cannot be written as JSON.`);
}

/** @throws {StoreError} `invalid_json` where the bytes are no UTF-8 */
export function decodeUtf8(bytes: Uint8Array, maxBytes: number): string {
  if (!(bytes instanceof Uint8Array)) {
    throw new StoreError("invalid_argument", "JSON must be given as a string or a Uint8Array.");
  }
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  try {
    return textDecoder.decode(bytes);
  } catch (cause) {
    throw new StoreError("invalid_json", "The JSON is not UTF-8; convert it.", { cause });
  }
}

/** Counts the members of all objects, and refuses what JSON cannot say. */
function countMembers(value: unknown, depthLeft: number): number {
  switch (typeof value) {
    case "string":
      if (value.isWellFormed()) return 0;
      throw new StoreError("invalid_json", "A JSON string holds a lone surrogate; remove it.");
    case "number":
      if (Number.isFinite(value)) return 0;
      throw new StoreError("invalid_json", "A JSON number is not finite; write it as a string.");
    case "boolean":
      return 0;
    case "object":
      return value === null ? 0 : countWithin(value, depthLeft);
    default:
      throw new StoreError("invalid_json", `A ${typeof value} cannot be written as JSON.`);
  }
}

function countWithin(container: object, depthLeft: number): number {
  if (depthLeft === 0) {
    throw new StoreError("limit_exceeded", "The JSON is nested too deeply; flatten it.");
  }
  let members = 0;
  if (Array.isArray(container)) {
    // By index: a hole must be seen.
    for (let index = 0; index < container.length; index += 1) {
      members += countMembers(container[index], depthLeft - 1);
    }
    return members;
  }
  const prototype: unknown = Object.getPrototypeOf(container);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new StoreError("invalid_json", "An instance of a class is no JSON; use a plain object.");
  }
  for (const [key, value] of Object.entries(container)) {
    members += 1 + countMembers(key, 0) + countMembers(value, depthLeft - 1);
  }
  return members;
}

/** A UTF-16 code unit becomes one to three bytes, so only a text near the limit is encoded. */
function isLongerThan(text: string, limitBytes: number): boolean {
  if (text.length > limitBytes) return true;
  return text.length * 3 > limitBytes && textEncoder.encode(text).length > limitBytes;
}

function tooLong(limit: number): StoreError {
  return new StoreError("limit_exceeded", `The JSON has more than ${limit} bytes; shorten it.`, {
    context: { limit },
  });
}
