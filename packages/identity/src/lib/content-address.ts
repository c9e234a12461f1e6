import type { DigestAlgorithm } from "./algorithms.ts";
import { assertHexOf, Digest } from "./digest.ts";
import { isStoreError, StoreError } from "./error.ts";
import { quote } from "./quote.ts";

declare const brand: unique symbol;

/**
 * `<algorithm>:<lowercase hex>`, the name of an object. It has one spelling only, so that
 * addresses compare with `===` and serve as keys.
 */
export type ContentAddress = `${DigestAlgorithm}:${string}` & {
  readonly [brand]: "ContentAddress";
};

/** Above every algorithm's address; longer input is refused unread. */
const addressLengthLimit = 256;

/**
 * @throws {StoreError} `invalid_digest` unless `text` is a known algorithm, a colon and lowercase
 *   hex of exactly that algorithm's length.
 */
export function parseContentAddress(text: string): ContentAddress {
  assertContentAddress(text);
  return text;
}

/** Whether {@link parseContentAddress} accepts `text`. */
export function isContentAddress(text: string): text is ContentAddress {
  try {
    assertContentAddress(text);
    return true;
  } catch (error) {
    if (isStoreError(error, "invalid_digest")) return false;
    throw error;
  }
}

/** The address of the object with this digest. */
export function contentAddress(digest: Digest): ContentAddress {
  return parseContentAddress(digest.toString());
}

/** The digest in an address. */
export function digestOf(address: ContentAddress): Digest {
  const [algorithm, hex] = split(address);
  assertHexOf(algorithm, hex);
  return Digest.fromHex(algorithm, hex);
}

function assertContentAddress(text: string): asserts text is ContentAddress {
  const [algorithm, hex] = split(text);
  assertHexOf(algorithm, hex);
}

function split(text: string): [algorithm: string, hex: string] {
  const colon = typeof text === "string" ? text.indexOf(":") : -1;
  if (colon === -1 || text.length > addressLengthLimit) {
    throw new StoreError(
      "invalid_digest",
      `${quote(text)} is no content address; write the algorithm, a colon and lowercase hex, ` +
        "for example blake3:<64 hex digits>.",
      { context: { actual: typeof text === "string" ? text.slice(0, 80) : null } },
    );
  }
  return [text.slice(0, colon), text.slice(colon + 1)];
}
