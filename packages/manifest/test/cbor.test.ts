import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "@store/manifest";
import type { CborValue } from "@store/manifest";
import { rounds } from "@store/testing/prove";
import { modelValue } from "./cbor-values.ts";
import { oracleDecode, oracleEncode } from "./oracle.ts";
import { refusalOf } from "./refusal.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

describe("encodeCbor", () => {
  test("gives the bytes that another implementation gives, and decodes to the same value", () => {
    fc.assert(
      fc.property(modelValue, (value) => {
        const bytes = encodeCbor(value);
        expect(Buffer.compare(bytes, oracleEncode(value))).toBe(0);
        expect(decodeCbor(bytes)).toStrictEqual(value);
        expect(oracleDecode(bytes)?.value).toStrictEqual(value);
      }),
      { numRuns: rounds(10_000), seed: 1 },
    );
  });

  test.each<[string, unknown, string]>([
    ["a fraction", 1.5, "1.5"],
    ["2^53, which would become a float", 2 ** 53, "9007199254740992"],
    ["-2^53", -(2 ** 53), "-9007199254740992"],
    ["-0", -0, "-0"],
    ["NaN", Number.NaN, "NaN"],
    ["infinity", Number.POSITIVE_INFINITY, "Infinity"],
    ["a bigint", 1n, "bigint"],
    ["undefined", undefined, "undefined"],
    ["a symbol", Symbol("s"), "symbol"],
    ["a function", () => 1, "function"],
    ["a lone surrogate", "a\uD800", "lone surrogate"],
    ["U+0000 in text", "a\0b", "U+0000"],
    ["a lone surrogate in a key", { "\uDC00": 1 }, "lone surrogate"],
    ["U+0000 in a key", { "\0": 1 }, "U+0000"],
    ["a symbol as a key", { [Symbol("s")]: 1 }, "symbol"],
    ["a date", new Date(0), "class"],
    ["a Map", new Map([["a", 1]]), "class"],
    ["another typed array", new Uint16Array(2), "class"],
    ["an ArrayBuffer", new ArrayBuffer(2), "class"],
    // eslint-disable-next-line no-sparse-arrays
    ["a hole in an array", [1, , 2], "undefined"],
    ["an undefined field", { a: undefined }, "undefined"],
  ])("refuses %s", async (_name, value, reason) => {
    const error = await refusalOf(() => encodeCbor(value as CborValue));
    expect(error.code).toBe("invalid_cbor");
    expect(error.message).toContain(reason);
  });

  test("says where in the value the fault is", async () => {
    const error = await refusalOf(() => encodeCbor({ files: [{ size: 1 }, { size: 0.5 }] }));
    expect(error.message).toContain('["files"][1]["size"]');
  });

  test("takes a Buffer for the bytes that it holds, and hands out bytes of their own", () => {
    expect(Buffer.from(encodeCbor(Buffer.from("ab"))).toString("hex")).toBe("426162");
    // The library's result is a Buffer at some lengths, and lies in Node's pool at others.
    for (const length of [0, 1, 20, 100, 253, 254, 255, 256, 600, 1000, 4000, 5000, 70_000]) {
      const encoded = encodeCbor("x".repeat(length));
      expect(encoded.buffer.byteLength).toBe(encoded.length);
      expect(encoded.constructor).toBe(Uint8Array);
    }
  });

  test("keeps its limits on depth and size", async () => {
    const nested = (depth: number): CborValue => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(decodeCbor(encodeCbor(nested(32)))).toStrictEqual(nested(32));
    expect(await refusalOf(() => encodeCbor(nested(33)))).toMatchObject({
      code: "limit_exceeded",
      context: { limit: 32 },
    });
    const circular: CborValue[] = [];
    circular.push(circular);
    expect((await refusalOf(() => encodeCbor(circular))).code).toBe("limit_exceeded");
    expect((await refusalOf(() => encodeCbor("four", { maxBytes: 4 }))).code).toBe(
      "limit_exceeded",
    );
    expect(encodeCbor("four", { maxBytes: 5 })).toHaveLength(5);
  });
});

describe("decodeCbor", () => {
  test("reads a key __proto__ as a key, and leaves the prototype alone", () => {
    const value = decodeCbor(hex("a2617801695f5f70726f746f5f5fa1617902"));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value ?? {})).toEqual(["x", "__proto__"]);
    expect(value).not.toHaveProperty("y");
  });

  test("keeps a leading U+FEFF in text of any length", () => {
    for (const text of ["\uFEFF", "\uFEFFa", "\uFEFF\uFEFFa", `\uFEFF${"a".repeat(300)}`]) {
      expect(decodeCbor(encodeCbor(text))).toBe(text);
    }
  });

  test("gives copies: later changes of the input do not show", () => {
    for (const input of [hex("4161"), Buffer.from("4161", "hex")]) {
      const value = decodeCbor(input);
      input.fill(0);
      expect(value).toStrictEqual(new Uint8Array([0x61]));
    }
  });

  test("keeps its limits on depth and size, however large the input claims to be", async () => {
    const deep = new Uint8Array(1_000_000).fill(0x81);
    expect(await refusalOf(() => decodeCbor(deep))).toMatchObject({
      code: "limit_exceeded",
      context: { limit: 32 },
    });
    expect((await refusalOf(() => decodeCbor(hex("83010203"), { maxBytes: 3 }))).code).toBe(
      "limit_exceeded",
    );
    for (const claim of ["9b00000000ffffffff", "bb00000000ffffffff", "5b00000000ffffffff"]) {
      expect((await refusalOf(() => decodeCbor(hex(claim)))).code).toBe("invalid_cbor");
    }
  });

  test("refuses what is no bytes", async () => {
    const attempt = () => decodeCbor("80" as unknown as Uint8Array);
    expect((await refusalOf(attempt)).code).toBe("invalid_argument");
  });

  test("names the byte at which the input is not canonical", async () => {
    // {"b": 1, "a": 2}: the first key that stands out of order.
    const error = await refusalOf(() => decodeCbor(hex("a2616201616102")));
    expect(error.message).toContain("byte 2");
  });
});
