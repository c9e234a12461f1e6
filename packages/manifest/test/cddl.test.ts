import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "@store/manifest";
import { readCddl } from "@store/testing/cddl";
import { rounds } from "@store/testing/prove";
import { validManifest } from "./manifest-values.ts";

interface Vectors {
  readonly valid: readonly { readonly name: string; readonly cbor: string }[];
  readonly invalid: readonly {
    readonly name: string;
    readonly cbor: string;
    readonly code: string;
  }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../vectors/manifest.json", import.meta.url), "utf8"),
);

const judge = readCddl(new URL("../manifest.cddl", import.meta.url));
const judgeHex = (hex: string): string | undefined =>
  judge("manifest", decodeCbor(new Uint8Array(Buffer.from(hex, "hex"))));

/** What the comment at the head of the CDDL says that CDDL cannot say. */
const beyondCddl = [
  /^a day that|^February|^month 13|^hour 24|^a leap second/,
  /^metadata (with|that|nested)/,
  /^a media type (with|that)/,
  /^the path "[^"]|^a segment of 256/,
  /^files that are not sorted|^a path twice|^paths sorted|^a file that is a folder/,
  /^one BLAKE3 and two/,
  /receipt for|^a receipt twice|^receipts not sorted/,
  /^holds that are not sorted|^a hold twice/,
];

describe("manifest.cddl", () => {
  test.each(vectors.valid)("describes the valid vector: $name", ({ cbor }) => {
    expect(judgeHex(cbor)).toBeUndefined();
  });

  test("describes every valid manifest", () => {
    fc.assert(
      fc.property(validManifest, (manifest) => {
        expect(judge("manifest", manifest)).toBeUndefined();
      }),
      { numRuns: rounds(2000), seed: 8 },
    );
  });

  test("refuses the invalid vectors, but for what CDDL cannot say", () => {
    const accepted = vectors.invalid
      .filter(({ cbor, code }) => code === "invalid_manifest" && judgeHex(cbor) === undefined)
      .map(({ name }) => name);
    expect(accepted.filter((name) => !beyondCddl.some((rule) => rule.test(name)))).toEqual([]);
    // Each of the exceptions is one.
    for (const rule of beyondCddl) expect(accepted.some((name) => rule.test(name))).toBe(true);
  });
});
