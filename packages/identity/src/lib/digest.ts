import { algorithmDefinition, digestAlgorithms, isDigestAlgorithm } from "./algorithms.ts";
import type { DigestAlgorithm } from "./algorithms.ts";
import { StoreError } from "./error.ts";
import { quote, shorten } from "./quote.ts";

/**
 * The value of a digest function. Immutable: it holds text, and gives out copies of its bytes.
 * Two are equal by value ({@link Digest.equals}); as a key of a `Map` use its content address.
 */
export class Digest {
  readonly algorithm: DigestAlgorithm;
  /** Lowercase hex, exactly two digits a byte. */
  readonly hex: string;

  private constructor(algorithm: DigestAlgorithm, hex: string) {
    this.algorithm = algorithm;
    this.hex = hex;
    Object.freeze(this);
  }

  /**
   * @throws {StoreError} `invalid_digest` where the algorithm is unknown or `bytes` has another
   *   length than the algorithm's.
   */
  static of(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
    const { sizeBytes } = knownAlgorithm(algorithm);
    if (bytes.length !== sizeBytes) {
      throw new StoreError(
        "invalid_digest",
        `A ${algorithm} digest has ${sizeBytes} bytes, not ${bytes.length}.`,
        { context: { expected: sizeBytes, actual: bytes.length } },
      );
    }
    return new Digest(algorithm, encodeHex(bytes));
  }

  /**
   * @throws {StoreError} `invalid_digest` where the algorithm is unknown or `hex` is not lowercase
   *   hex of exactly the algorithm's length.
   */
  static fromHex(algorithm: DigestAlgorithm, hex: string): Digest {
    assertHexOf(algorithm, hex);
    return new Digest(algorithm, hex);
  }

  /** A fresh copy of the bytes. */
  get bytes(): Uint8Array {
    return decodeHex(this.hex);
  }

  equals(other: Digest): boolean {
    return this.algorithm === other.algorithm && this.hex === other.hex;
  }

  /** `blake3:<hex>`, the text of the content address. */
  toString(): string {
    return `${this.algorithm}:${this.hex}`;
  }
}

/** Throws `invalid_digest` unless `hex` is a digest of `algorithm`, naming the broken rule. */
export function assertHexOf(algorithm: string, hex: string): asserts algorithm is DigestAlgorithm {
  const hexLength = knownAlgorithm(algorithm).sizeBytes * 2;
  if (hex.length !== hexLength) {
    throw new StoreError(
      "invalid_digest",
      `A ${algorithm} digest has ${hexLength} hex digits, not ${hex.length}.`,
      { context: { expected: hexLength, actual: hex.length } },
    );
  }
  if (!/^[0-9a-f]+$/u.test(hex)) {
    throw new StoreError(
      "invalid_digest",
      `A digest is written in lowercase hex (0-9, a-f), which ${quote(hex)} is not.`,
      { context: { actual: hex } },
    );
  }
}

function knownAlgorithm(name: string): { readonly sizeBytes: number } {
  if (isDigestAlgorithm(name)) return algorithmDefinition(name);
  throw new StoreError(
    "invalid_digest",
    `The digest algorithm ${quote(name)} is unknown; use ${digestAlgorithms.join(" or ")}.`,
    { context: { expected: digestAlgorithms.join(", "), actual: shorten(name) } },
  );
}

const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

function encodeHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += hexOfByte[byte];
  return hex;
}

/** Decodes what has been checked to be lowercase hex of even length. */
function decodeHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = (hexDigit(hex, index * 2) << 4) | hexDigit(hex, index * 2 + 1);
  }
  return bytes;
}

/** The ASCII codes of `0`-`9` end in their value, those of `a`-`f` in their value less nine. */
function hexDigit(hex: string, index: number): number {
  const code = hex.charCodeAt(index);
  return (code & 0x0f) + (code >> 6) * 9;
}
