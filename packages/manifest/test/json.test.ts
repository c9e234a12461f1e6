import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalizeJson, compareBytewise, parseJson } from "@store/manifest";
import { rounds } from "@store/testing/prove";
import { modelText } from "./cbor-values.ts";
import { refusalOf } from "./refusal.ts";
import { naiveJcs } from "./vectors/naive-jcs.ts";

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

/** What JSON is made of, so that chance comes near to it. */
const jsonCharacters = Array.from('{}[],:"\\0123-+.eEu truefalsn');

type Outcome = { readonly value: unknown } | { readonly message: string };

function outcomeOf(read: () => unknown): Outcome {
  try {
    return { value: read() };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}

const json = fc
  .jsonValue({ stringUnit: "binary", maxDepth: 5 })
  .filter(
    (value) => JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(value)),
  );

describe("canonicalizeJson", () => {
  test("agrees with a naive writer, and its text reads as the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = textOf(canonicalizeJson(value));
        expect(text).toBe(naiveJcs(value));
        expect(textOf(canonicalizeJson(parseJson(text)))).toBe(text);
      }),
      { numRuns: rounds(10_000), seed: 5 },
    );
  });

  test.each<[string, unknown]>([
    ["undefined", undefined],
    ["an undefined field", { a: undefined }],
    ["a hole in an array", Array.from({ length: 2 })],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a bigint", 1n],
    ["NaN", Number.NaN],
    ["infinity", [Number.NEGATIVE_INFINITY]],
    ["a date", new Date(0)],
    ["an object with toJSON", Object.create({ toJSON: () => 1 })],
    ["bytes", new Uint8Array(2)],
    ["a boxed number", Object(1)],
    ["a lone surrogate", "\uDC00"],
    ["a lone surrogate in a key", { "\uD800": 1 }],
  ])("refuses %s instead of dropping or converting it", async (_name, value) => {
    expect((await refusalOf(() => canonicalizeJson(value))).code).toBe("invalid_json");
  });

  test("refuses what is nested too deeply, a circle among them", async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect((await refusalOf(() => canonicalizeJson(circle))).code).toBe("limit_exceeded");
  });
});

describe("parseJson", () => {
  test("accepts what JSON.parse accepts, but for what would not survive", () => {
    const texts = fc.oneof(
      fc.json({ stringUnit: "binary" }),
      fc.string({ unit: fc.constantFrom(...jsonCharacters), maxLength: 12 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const theirs = outcomeOf(() => JSON.parse(text));
        const ours = outcomeOf(() => parseJson(text));
        const reason = "value" in theirs ? /twice|surrogate|finite|digits/ : /not JSON/;
        const isRefusal = "message" in ours && reason.test(ours.message);
        expect(isRefusal ? theirs : ours).toStrictEqual(theirs);
      }),
      { numRuns: rounds(20_000), seed: 6 },
    );
  });

  test("bounds depth and size before anything is built", async () => {
    expect((await refusalOf(() => parseJson("[".repeat(5_000_000)))).code).toBe("limit_exceeded");
    expect((await refusalOf(() => parseJson('"ééé"', { maxBytes: 7 }))).code).toBe(
      "limit_exceeded",
    );
    expect(parseJson('"ééé"', { maxBytes: 8 })).toBe("ééé");
    expect((await refusalOf(() => parseJson("9".repeat(1_000_000)))).code).toBe("invalid_json");
    expect((await refusalOf(() => parseJson("0".repeat(1_000_000)))).code).toBe("invalid_json");
  });

  test("does not take brackets and colons in strings for structure", () => {
    const value = { "[[{:": ['"]}:', "\\", String.raw`\"`, ":".repeat(100)] };
    expect(parseJson(JSON.stringify(value), { maxDepth: 2 })).toStrictEqual(value);
  });

  test("keeps the digits of a double, and refuses those that it would change", async () => {
    expect(parseJson("[9007199254740992,1e300,0.1,100000000000000000000]")).toStrictEqual([
      2 ** 53,
      1e300,
      0.1,
      1e20,
    ]);
    const error = await refusalOf(() => parseJson('{"id":1234567890123456789}'));
    expect(error.message).toContain("1234567890123456789");
  });

  test("refuses what is neither text nor bytes", async () => {
    const attempt = () => parseJson({} as unknown as string);
    expect((await refusalOf(attempt)).code).toBe("invalid_argument");
  });
});

describe("compareBytewise", () => {
  test("orders texts as their UTF-8 bytes are ordered", () => {
    fc.assert(
      fc.property(modelText, modelText, (left, right) => {
        const expected = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareBytewise(left, right))).toBe(expected);
      }),
      { numRuns: rounds(20_000), seed: 7 },
    );
  });
});
