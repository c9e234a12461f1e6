import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import {
  contentAddress,
  Digest,
  digestAlgorithms,
  digestOf,
  isContentAddress,
  isDigestAlgorithm,
  parseContentAddress,
} from "../src/index.ts";
import type { DigestAlgorithm } from "../src/index.ts";
import { refusalOf } from "./refusal.ts";
import vectors from "../vectors/content-addresses.json" with { type: "json" };

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const algorithm = fc.constantFrom(...digestAlgorithms);

describe("a digest", () => {
  test("gives back the bytes that it was made of", () => {
    fc.assert(
      fc.property(algorithm, bytes32, (name, bytes) => {
        const digest = Digest.of(name, bytes);
        expect(digest.bytes).toEqual(bytes);
        expect(digest.hex).toBe(Buffer.from(bytes).toString("hex"));
        expect(Digest.fromHex(name, digest.hex).equals(digest)).toBe(true);
      }),
    );
  });

  test("does not change with the bytes that went in or came out", () => {
    const bytes = new Uint8Array(32).fill(1);
    const digest = Digest.of("blake3", bytes);
    bytes.fill(2);
    digest.bytes.fill(3);
    expect(digest.hex).toBe("01".repeat(32));
    expect(Object.isFrozen(digest)).toBe(true);
  });

  test("equals another of the same algorithm and bytes only", () => {
    const digest = Digest.fromHex("blake3", "ab".repeat(32));
    expect(digest.equals(Digest.fromHex("blake3", "ab".repeat(32)))).toBe(true);
    expect(digest.equals(Digest.fromHex("blake3", "ac".repeat(32)))).toBe(false);
    expect(digest.equals(Digest.fromHex("sha256", "ab".repeat(32)))).toBe(false);
  });

  test.each([0, 31, 33, 64])("is refused with %i bytes", (length) => {
    expect(() => Digest.of("blake3", new Uint8Array(length))).toThrow(
      `A blake3 digest has 32 bytes, not ${length}.`,
    );
  });

  test("is refused in hex that is not lowercase", () => {
    expect(() => Digest.fromHex("sha256", "AB".repeat(32))).toThrow("lowercase hex");
  });

  test("is refused for an algorithm that is not registered", () => {
    for (const name of ["md5", "", "constructor", "__proto__"]) {
      expect(isDigestAlgorithm(name)).toBe(false);
      const create = (): unknown => Reflect.apply(fromHex, undefined, [name, "00"]);
      expect(create).toThrow("use blake3 or sha256");
    }
  });
});

describe("a content address", () => {
  test.each(vectors.valid)("%s is accepted as it is written", (text) => {
    const address = parseContentAddress(text);
    expect(address).toBe(text);
    expect(isContentAddress(text)).toBe(true);
    expect(contentAddress(digestOf(address))).toBe(address);
    expect(digestOf(address).toString()).toBe(text);
  });

  test.each(vectors.invalid)("is refused: $why", ({ text }) => {
    expect(isContentAddress(text)).toBe(false);
    expect(refusalOf(() => parseContentAddress(text)).code).toBe("invalid_digest");
  });

  test("is refused where it is no text at all", () => {
    for (const value of [undefined, null, 7, {}, ["blake3:"]]) {
      const parse = (): unknown => Reflect.apply(parseContentAddress, undefined, [value]);
      expect(refusalOf(parse).code).toBe("invalid_digest");
    }
  });

  test("is the same key for the same digest", () => {
    fc.assert(
      fc.property(algorithm, bytes32, (name, bytes) => {
        const address = contentAddress(Digest.of(name, bytes));
        expect(address).toBe(contentAddress(Digest.of(name, bytes)));
        expect(digestOf(address).bytes).toEqual(bytes);
      }),
    );
  });

  test("of random text is refused without another error", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
        expect(isContentAddress(text)).toBe(false);
      }),
    );
  });
});

/** A function that the compiler lets be applied to anything. */
function fromHex(name: DigestAlgorithm, hex: string): Digest {
  return Digest.fromHex(name, hex);
}
