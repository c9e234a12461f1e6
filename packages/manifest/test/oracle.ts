import * as cbor2 from "cbor2";
import type { CborValue } from "@store/manifest";

const decodeOptions: cbor2.DecodeOptions = {
  ...cbor2.cdeDecodeOptions,
  rejectFloats: true,
  rejectUndefined: true,
  rejectSimple: true,
  rejectBigInts: true,
  ignoreGlobalTags: true,
};

/** Canonical CBOR by an implementation that shares nothing with ours. */
export function oracleEncode(value: unknown): Uint8Array {
  return cbor2.encode(value, cbor2.cdeEncodeOptions);
}

/** What the other implementation reads, or nothing where it or the value model refuses. */
export function oracleDecode(bytes: Uint8Array): { readonly value: CborValue } | undefined {
  let value: unknown;
  try {
    value = cbor2.decode(bytes, decodeOptions);
  } catch {
    return undefined;
  }
  return isInModel(value) ? { value } : undefined;
}

/** The value model, said once more and naively. */
function isInModel(value: unknown, depth = 0): value is CborValue {
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "string") return !/\0|\p{Surrogate}/u.test(value);
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (value instanceof Uint8Array) return true;
  if (typeof value !== "object" || depth >= 32) return false;
  if (Array.isArray(value)) return value.every((item) => isInModel(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.entries(value).every(([key, item]) => isInModel(key) && isInModel(item, depth + 1));
}
