import { StoreError } from "@store/identity";
import { decodeFirst, encode } from "cborg";
import { findModelFault, type CborValue } from "./cbor-model.ts";
import { invalidCbor } from "./cbor-heads.ts";
import { ModelTokenizer } from "./cbor-tokens.ts";

/** How much one value may be. */
export interface CborLimits {
  /** How many arrays and maps may be nested in one another; 32 unless told. */
  readonly maxDepth?: number;
  /**
   * The length of the encoded value in bytes; 256 MiB unless told. A value can take twenty times
   * as much memory, and 16 MiB of the smallest items take seconds: for input of strangers, tell.
   */
  readonly maxBytes?: number;
}

/** The limits that hold where none are given. */
export const defaultCborLimits: Required<CborLimits> = Object.freeze({
  maxDepth: 32,
  maxBytes: 256 * 1024 * 1024,
});

/**
 * Encodes a value as canonical CBOR (RFC 8949 §4.2.1): definite lengths, shortest forms, map
 * keys sorted bytewise on their encoded form. A `Buffer` becomes a byte string.
 *
 * @throws {StoreError} `invalid_cbor` where the value lies outside the model,
 *   `limit_exceeded` where it is nested too deeply or becomes too long
 */
export function encodeCbor(value: CborValue, limits: CborLimits = {}): Uint8Array {
  const { maxDepth, maxBytes } = { ...defaultCborLimits, ...limits };
  const fault = findModelFault(value, maxDepth);
  if (fault) {
    const where = fault.path.length === 0 ? "The value" : `The value at ${pathText(fault.path)}`;
    if (fault.tooDeep) {
      throw new StoreError(
        "limit_exceeded",
        `${where} is nested more than ${maxDepth} deep; flatten it.`,
        { context: { limit: maxDepth } },
      );
    }
    throw new StoreError("invalid_cbor", `${where} cannot be encoded as CBOR: ${fault.reason}.`);
  }
  const bytes = encodeModelValue(value);
  if (bytes.length > maxBytes) throw tooLong(bytes.length, maxBytes);
  return bytes;
}

/**
 * Decodes one canonical CBOR value. Bytes are accepted only if encoding the result gives the
 * same bytes. Maps become plain objects (a key `__proto__` is an ordinary own property), and
 * byte strings are copies.
 *
 * @throws {StoreError} `invalid_cbor` where the bytes are not canonical or hold what the model
 *   does not, `limit_exceeded` where they are nested too deeply or are too long
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits = {}): CborValue {
  const { maxDepth, maxBytes } = { ...defaultCborLimits, ...limits };
  assertBytes(bytes);
  if (bytes.length > maxBytes) throw tooLong(bytes.length, maxBytes);
  const tokenizer = new ModelTokenizer(plainBytes(bytes), { maxDepth, maxItemBytes: maxBytes });
  const value = readCanonicalItem(tokenizer);
  if (!tokenizer.done()) throw invalidCbor("bytes follow the value", tokenizer.pos());
  return value;
}

/** Reads the next item of `tokenizer` and holds it against its own canonical encoding. */
export function readCanonicalItem(tokenizer: ModelTokenizer): CborValue {
  const start = tokenizer.beginItem();
  const { data } = tokenizer;
  let value: CborValue;
  try {
    [value] = decodeFirst(data, { tokenizer, rejectDuplicateMapKeys: true });
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalidCbor(reason.replace(/^CBOR decode error: /, ""), start, cause);
  }
  const canonical = encodeModelValue(value);
  const length = tokenizer.pos() - start;
  for (let index = 0; index < length; index += 1) {
    if (canonical[index] !== data[start + index]) {
      throw invalidCbor("map keys are not sorted or a text is not UTF-8", start + index);
    }
  }
  if (canonical.length !== length) throw invalidCbor("the form is not the shortest", start);
  return value;
}

/** Encodes what is known to lie within the model. The bytes own their buffer. */
export function encodeModelValue(value: unknown): Uint8Array {
  // The default order of `cborg` (shorter keys first, then bytewise) is that of RFC 8949 as
  // long as all keys are text.
  const bytes = encode(value);
  // Results of middle size lie in a buffer pool, which a caller could transfer or read by chance.
  return bytes.length === bytes.buffer.byteLength ? plainBytes(bytes) : new Uint8Array(bytes);
}

/** The same bytes, as a plain `Uint8Array`: slices of a `Buffer` would be views. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @throws {StoreError} `invalid_argument` where a caller without types gave something else */
export function assertBytes(bytes: unknown): asserts bytes is Uint8Array {
  if (bytes instanceof Uint8Array) return;
  throw new StoreError("invalid_argument", "Bytes must be given as a Uint8Array.");
}

function tooLong(actual: number, limit: number): StoreError {
  return new StoreError(
    "limit_exceeded",
    `The CBOR value has ${actual} bytes where at most ${limit} are allowed.`,
    { context: { actual, limit } },
  );
}

function pathText(path: readonly (string | number)[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `[${JSON.stringify(key)}]`))
    .join("");
}
