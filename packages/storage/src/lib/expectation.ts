import { type ContentAddress, type Digest, digestOf, StoreError } from "@store/identity";
import type { DualDigest } from "@store/identity";

/** What the caller says that bytes are: claims, each checked. */
export interface Expectation {
  readonly address?: ContentAddress;
  readonly sha256?: Digest;
  readonly sizeBytes?: number;
}

/** Counts bytes as they come and refuses the first that is too many. */
export class SizeGuard {
  #sizeBytes = 0;
  readonly #expectedBytes: number;
  readonly #limitBytes: number;

  /** Throws `limit_exceeded` if more is expected than is allowed. */
  constructor(expectedBytes: number | undefined, limitBytes: number | undefined) {
    assertByteCount(expectedBytes, "expect.sizeBytes");
    assertByteCount(limitBytes, "limitBytes");
    this.#expectedBytes = expectedBytes ?? Infinity;
    this.#limitBytes = limitBytes ?? Infinity;
    if (this.#expectedBytes > this.#limitBytes && expectedBytes !== undefined) {
      throw tooLarge(this.#limitBytes, `declared with ${expectedBytes} bytes`);
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > this.#expectedBytes) {
      throw wrongSize(this.#expectedBytes, this.#sizeBytes, "at least ");
    }
    if (this.#sizeBytes > this.#limitBytes) throw tooLarge(this.#limitBytes, "larger");
  }
}

/** Throws `size_mismatch` or `digest_mismatch` where bytes are not what was expected. */
export function assertExpected(actual: DualDigest, expect: Expectation): void {
  if (expect.sizeBytes !== undefined && actual.sizeBytes !== expect.sizeBytes) {
    throw wrongSize(expect.sizeBytes, actual.sizeBytes, "");
  }
  for (const expected of [expect.address && digestOf(expect.address), expect.sha256]) {
    if (expected === undefined) continue;
    const found = digestFor(expected, actual);
    if (expected.equals(found)) continue;
    throw new StoreError(
      "digest_mismatch",
      `The bytes were declared as ${expected.toString()} but are ${found.toString()}; ` +
        "nothing was kept. Send the right bytes, or declare no digest.",
      { context: { expected: String(expected), actual: String(found) } },
    );
  }
}

/** Of both digests, the one by the same algorithm. */
export function digestFor(expected: Digest, actual: DualDigest): Digest {
  const found = [actual.primary, actual.sha256].find(
    ({ algorithm }) => algorithm === expected.algorithm,
  );
  if (found !== undefined) return found;
  throw new StoreError(
    "unsupported",
    `Bytes are not hashed by ${expected.algorithm}; declare a blake3 or sha256 digest.`,
    { context: { actual: expected.algorithm } },
  );
}

function assertByteCount(value: number | undefined, name: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new StoreError("invalid_argument", `${name} is ${value}; give a whole number of bytes.`, {
    context: { actual: value },
  });
}

function wrongSize(expected: number, actual: number, qualifier: string): StoreError {
  return new StoreError(
    "size_mismatch",
    `The bytes were declared as ${expected} bytes long but are ${qualifier}${actual}; ` +
      "nothing was kept.",
    { context: { expected, actual } },
  );
}

function tooLarge(limit: number, what: string): StoreError {
  return new StoreError("limit_exceeded", `At most ${limit} bytes are accepted; this is ${what}.`, {
    context: { limit },
  });
}
