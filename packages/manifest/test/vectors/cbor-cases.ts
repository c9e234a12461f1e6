import { oracleEncode } from "../oracle.ts";

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** RFC 8949 appendix A, the examples that lie in the value model. */
const appendixA: readonly unknown[] = [
  [0, 1, 10, 23, 24, 25, 100, 1000, 1_000_000, 1_000_000_000_000, -1, -10, -100, -1000],
  [false, true, null],
  [{ $bytes: "" }, { $bytes: "01020304" }],
  ["", "a", "IETF", '"\\', "\u00fc", "\u6c34", "\ud800\udd51"],
  [[], [1, 2, 3], [1, [2, 3], [4, 5]], Array.from({ length: 25 }, (_, index) => index + 1)],
  [{}, { a: 1, b: [2, 3] }, ["a", { b: "c" }], { a: "A", b: "B", c: "C", d: "D", e: "E" }],
].flat();

const others: readonly (readonly [name: string, value: unknown])[] = [
  ["the largest integer", 2 ** 53 - 1],
  ["the smallest integer", -(2 ** 53) + 1],
  ["the last integer of two bytes", 255],
  ["the first integer of three bytes", 256],
  ["the last integer of three bytes", 65_535],
  ["the first integer of five bytes", 65_536],
  ["the last integer of five bytes", 2 ** 32 - 1],
  ["the first integer of nine bytes", 2 ** 32],
  ["the last negative integer of one byte", -24],
  ["the first negative integer of two bytes", -25],
  ["the last negative integer of five bytes", -(2 ** 32)],
  ["the first negative integer of nine bytes", -(2 ** 32) - 1],
  ["shorter keys come first", { b: 1, aa: 2, "": 3, a: 4 }],
  ["keys are ordered by bytes, not by UTF-16 code units", { "\u{1f600}": 1, "\ufb33x": 2 }],
  ["keys are ordered by length in bytes", { "\u00e9": 1, zz: 2, aaa: 3 }],
  ["a key of 24 bytes comes after one of 23", { ["a".repeat(24)]: 1, ["z".repeat(23)]: 2 }],
  ["a key of 256 bytes", { ["k".repeat(256)]: 1 }],
  ["keys that look like numbers", { "10": 1, "9": 2, "1": 3 }],
  ["the key __proto__", JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
  ["text that begins with U+FEFF", "\ufeffabc"],
  ["long text that begins with U+FEFF", `\ufeff${"a".repeat(40)}`],
  ["text that is not in normalization form C", "e\u0301"],
  ["text of the noncharacter U+FFFF", "\uffff"],
  ["text of control characters", "\u0001\u001f\u007f"],
  ["text of 24 bytes", "a".repeat(24)],
  ["bytes of length 256", { $bytes: "5a".repeat(256) }],
  ["an array of 24 items", Array.from({ length: 24 }, () => 0)],
  ["32 arrays in one another", nest(32)],
];

const code = "invalid_cbor";

const invalid: readonly (readonly [hex: string, why: string])[] = [
  ["", "nothing at all"],
  // RFC 8949 appendix A, what lies outside the model.
  ["1bffffffffffffffff", "2^64 − 1"],
  ["3bffffffffffffffff", "-2^64"],
  ["c249010000000000000000", "a bignum"],
  ["c349010000000000000000", "a negative bignum"],
  ["f90000", "the float 0.0"],
  ["f98000", "the float -0.0"],
  ["f93c00", "the float 1.0"],
  ["fb3ff199999999999a", "the float 1.1"],
  ["fa47c35000", "the float 100000.0"],
  ["f97c00", "infinity"],
  ["f97e00", "NaN"],
  ["f9fc00", "minus infinity"],
  ["fa7fc00000", "a longer NaN"],
  ["fb7ff0000000000000", "a longer infinity"],
  ["f7", "undefined"],
  ["f0", "a simple value"],
  ["f818", "a simple value of two bytes"],
  ["f8ff", "the simple value 255"],
  ["f814", "a simple value in the wrong form"],
  ["c074323031332d30332d32315432303a30343a30305a", "a tagged date"],
  ["c11a514b67b0", "a tagged epoch time"],
  ["d74401020304", "a tag around bytes"],
  ["d818456449455446", "encoded CBOR in a tag"],
  ["d82076687474703a2f2f7777772e6578616d706c652e636f6d", "a tagged URI"],
  ["d9d9f700", "the self-described CBOR tag"],
  ["a201020304", "integers as keys"],
  ["a1410001", "bytes as a key"],
  ["a1f501", "a boolean as a key"],
  ["a1a00001", "a map as a key"],
  ["5f42010243030405ff", "bytes of indefinite length"],
  ["7f657374726561646d696e67ff", "text of indefinite length"],
  ["9fff", "an array of indefinite length"],
  ["9f018202039f0405ffff", "an array of indefinite length in another"],
  ["83018202039f0405ff", "an array of indefinite length in a definite one"],
  ["bf61610161629f0203ffff", "a map of indefinite length"],
  ["826161bf61626163ff", "a map of indefinite length in an array"],
  // RFC 8949 appendix F: not well-formed.
  ["18", "the argument is missing"],
  ["19ff", "half of the argument is missing"],
  ["1a0000ff", "a part of the argument is missing"],
  ["1b00000000000000", "the last byte of the argument is missing"],
  ["41", "the bytes are missing"],
  ["61", "the text is missing"],
  ["5affffffff00", "bytes of a length that is not there"],
  ["7bffffffffffffffff00", "text of a length that is not there"],
  ["81", "the item of an array is missing"],
  ["818181818181818181", "the innermost item is missing"],
  ["8200", "the second item is missing"],
  ["a1", "the entry of a map is missing"],
  ["a16161", "the value of an entry is missing"],
  ["a2616100", "the second entry is missing"],
  ["9bffffffffffffffff", "an array of 2^64 − 1 items that are not there"],
  ["bb7fffffffffffffff", "a map of 2^63 − 1 entries that are not there"],
  ["ff", "a break"],
  ["81ff", "a break in an array"],
  ["a1ff", "a break for a key"],
  ["a16161ff", "a break for a value"],
  ["1c", "additional information 28"],
  ["3d", "additional information 29"],
  ["5e", "additional information 30"],
  ["1f", "an integer of indefinite length"],
  ["dc", "a tag of additional information 28"],
  ["c0", "a tag of nothing"],
  // Well-formed, but not canonical.
  ["1800", "0 in two bytes"],
  ["1817", "23 in two bytes"],
  ["1900ff", "255 in three bytes"],
  ["1a0000ffff", "65535 in five bytes"],
  ["1b00000000ffffffff", "2^32 − 1 in nine bytes"],
  ["3817", "-24 in two bytes"],
  ["3b00000000ffffffff", "-2^32 in nine bytes"],
  ["580161", "the length of bytes in two bytes"],
  ["7800", "the length of empty text in two bytes"],
  ["780161", "the length of text in two bytes"],
  ["790001 61".replace(" ", ""), "the length of text in three bytes"],
  ["9800", "the length of an empty array in two bytes"],
  ["980100", "the length of an array in two bytes"],
  ["9a0000000100", "the length of an array in five bytes"],
  ["b800", "the length of an empty map in two bytes"],
  ["b801616100", "the length of a map in two bytes"],
  ["a2616201616102", "keys in the wrong order"],
  ["a262616101616202", "a longer key before a shorter one"],
  ["a2616101616102", "a key twice"],
  ["a3616101616201616102", "a key twice, apart"],
  ["81a2616201616102", "keys in the wrong order within an array"],
  ["0000", "two values"],
  ["8000", "bytes after an array"],
  ["6161ff", "a break after text"],
  // Outside the value model.
  ["1b0020000000000000", "2^53"],
  ["3b001fffffffffffff", "-2^53"],
  ["1b0020000000000001", "2^53 + 1"],
  ["6100", "text of U+0000"],
  ["63610062", "U+0000 in text"],
  ["a1610000", "U+0000 as a key"],
  ["61ff", "text of a byte that is never UTF-8"],
  ["62c328", "an incomplete sequence in text"],
  ["62c080", "an overlong form in text"],
  ["63eda080", "a lone surrogate in text"],
  ["66eda081edb080", "a surrogate pair in text (CESU-8)"],
  ["64f4908080", "a code point above U+10FFFF in text"],
  ["a161ff00", "a key that is not UTF-8"],
];

/** The vectors of the codec. Bytes are written `{"$bytes": "<hex>"}` in values. */
export function cborVectors() {
  return {
    about:
      "Canonical CBOR (RFC 8949 section 4.2.1) of the closed value model. `hex` and `value` turn" +
      ' into each other; bytes in a value are written {"$bytes": "<hex>"}.',
    valid: [
      ...appendixA.map((value) => ({
        name: `RFC 8949 appendix A: ${JSON.stringify(value)}`,
        hex: hexOf(oracleEncode(withBytes(value))),
        value,
      })),
      ...others.map(([name, value]) => ({
        name,
        hex: hexOf(oracleEncode(withBytes(value))),
        value,
      })),
    ],
    invalid: [
      ...invalid.map(([hex, why]) => ({ name: why, hex, code })),
      { name: "33 arrays in one another", hex: `${"81".repeat(32)}80`, code: "limit_exceeded" },
      { name: "1,000 arrays in one another", hex: "81".repeat(1000), code: "limit_exceeded" },
    ],
  };
}

/** Reads the notation of bytes; everything else is itself. */
export function withBytes(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withBytes);
  if ("$bytes" in value && typeof value.$bytes === "string") {
    return new Uint8Array(Buffer.from(value.$bytes, "hex"));
  }
  const result = {};
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(result, key, {
      value: withBytes(item),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

function nest(depth: number): unknown {
  return depth === 0 ? 0 : [nest(depth - 1)];
}
