import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  canonicalizeJson,
  decodeCbor,
  decodeManifest,
  encodeCbor,
  encodeManifest,
  fromJcs,
  manifestDigest,
  parseJson,
  toJcs,
} from "@store/manifest";
import type { CborValue } from "@store/manifest";
import { oracleDecode, oracleEncode } from "./oracle.ts";
import { refusalOf } from "./refusal.ts";
import { withBytes } from "./vectors/cbor-cases.ts";

interface CborVectors {
  readonly valid: readonly { name: string; hex: string; value: unknown }[];
  readonly invalid: readonly { name: string; hex: string; code: string }[];
}

interface JcsVectors {
  readonly valid: readonly { name: string; input: string; canonical: string }[];
  readonly numbers: readonly { name: string; text: string }[];
  readonly invalid: readonly { name: string; hex: string; code: string }[];
}

interface ManifestVectors {
  readonly valid: readonly { name: string; cbor: string; jcs: string; digest: string }[];
  readonly invalid: readonly { name: string; cbor: string; code: string }[];
  readonly invalid_jcs: readonly { name: string; jcs: string; code: string }[];
}

const read = (fileName: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${fileName}`, import.meta.url), "utf8"));
const cbor = read("cbor.json") as CborVectors;
const jcs = read("jcs.json") as JcsVectors;
const manifests = read("manifest.json") as ManifestVectors;

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("cbor.json", () => {
  test.each(cbor.valid)("bytes and value turn into each other: $name", ({ hex, value }) => {
    const expected = withBytes(value);
    expect(decodeCbor(bytesOf(hex))).toStrictEqual(expected);
    expect(hexOf(encodeCbor(expected as CborValue))).toBe(hex);
    expect(hexOf(oracleEncode(expected))).toBe(hex);
  });

  test.each(cbor.invalid)("is refused: $name", async ({ hex, code }) => {
    const error = await refusalOf(() => decodeCbor(bytesOf(hex)));
    expect(error.code).toBe(code);
    expect(oracleDecode(bytesOf(hex))).toBeUndefined();
  });
});

describe("jcs.json", () => {
  test.each(jcs.valid)("has the canonical form: $name", ({ input, canonical }) => {
    expect(textOf(canonicalizeJson(parseJson(input)))).toBe(canonical);
    expect(textOf(canonicalizeJson(parseJson(utf8(canonical))))).toBe(canonical);
  });

  test.each(jcs.numbers)("the double $name is written $text", ({ name, text }) => {
    const number = new DataView(bytesOf(name).buffer).getFloat64(0);
    expect(textOf(canonicalizeJson(number))).toBe(text);
    expect(textOf(canonicalizeJson(parseJson(text)))).toBe(text);
  });

  test.each(jcs.invalid)("is refused: $name", async ({ hex, code }) => {
    expect((await refusalOf(() => parseJson(bytesOf(hex)))).code).toBe(code);
  });
});

describe("manifest.json", () => {
  test.each(manifests.valid)("turns into its other forms: $name", async (vector) => {
    const bytes = bytesOf(vector.cbor);
    const manifest = await decodeManifest(bytes);
    expect(hexOf(await encodeManifest(manifest))).toBe(vector.cbor);
    expect(hexOf(oracleEncode(manifest))).toBe(vector.cbor);
    expect(textOf(await toJcs(bytes))).toBe(vector.jcs);
    expect(textOf(await toJcs(manifest))).toBe(vector.jcs);
    expect(hexOf(await fromJcs(utf8(vector.jcs)))).toBe(vector.cbor);
    expect((await manifestDigest(bytes)).toString()).toBe(vector.digest);
  });

  test.each(manifests.invalid)("is refused: $name", async (vector) => {
    const error = await refusalOf(() => decodeManifest(bytesOf(vector.cbor)));
    expect(error.code).toBe(vector.code);
    expect((await refusalOf(() => toJcs(bytesOf(vector.cbor)))).code).toBe(vector.code);
  });

  // Whatever is CBOR at all can be offered to the encoder as well.
  const offered = manifests.invalid.filter(({ code }) => code === "invalid_manifest");
  test.each(offered)("is not encoded either: $name", async (vector) => {
    const value: unknown = decodeCbor(bytesOf(vector.cbor));
    type Offered = Parameters<typeof encodeManifest>[0];
    expect((await refusalOf(() => encodeManifest(value as Offered))).code).toBe(vector.code);
    expect((await refusalOf(() => toJcs(value as Offered))).code).toBe(vector.code);
  });

  test("refuses each for the reason that its name gives", async () => {
    const reasons = [];
    for (const { name, cbor: hex } of manifests.invalid) {
      const { message } = await refusalOf(() => decodeManifest(bytesOf(hex)));
      reasons.push(`${name}\n    ${message}`);
    }
    for (const { name, jcs: text } of manifests.invalid_jcs) {
      const { message } = await refusalOf(() => fromJcs(utf8(text)));
      reasons.push(`JSON: ${name}\n    ${message}`);
    }
    await expect(`${reasons.join("\n")}\n`).toMatchFileSnapshot("refusals.txt");
  });

  test.each(manifests.invalid_jcs)("is refused as JSON: $name", async (vector) => {
    const error = await refusalOf(() => fromJcs(utf8(vector.jcs)));
    expect(error.code).toBe(vector.code);
  });
});
