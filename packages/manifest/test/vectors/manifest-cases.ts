import { digestBytes } from "@store/identity";
import { oracleEncode } from "../oracle.ts";
import { invalidJcsCases } from "./jcs-refusals.ts";
import { invalidManifestCases } from "./manifest-refusals.ts";
import { naiveJcs } from "./naive-jcs.ts";
import { bytesOf, manifest, type Loose } from "./sample.ts";

const f = (path: string, seed: number, rest: Loose = {}): Loose => ({
  path,
  size: seed,
  ...rest,
  digests: { blake3: bytesOf(seed), sha256: bytesOf(seed + 100) },
});

const metadataOf = (text: string): Loose => ({
  namespace: "acme",
  name: "app",
  version: "1.0.0",
  created_at: "2026-01-01T00:00:00.000Z",
  metadata: new Uint8Array(Buffer.from(text, "utf8")),
});

const valid: readonly (readonly [name: string, value: Loose])[] = [
  ["no files", manifest([])],
  ["one file", manifest([f("bin/app", 1)])],
  [
    "every field",
    manifest(
      [
        f("a.txt", 1, { media_type: "text/plain; charset=utf-8", executable: true }),
        f("b/c.json", 2, { media_type: "application/vnd.acme+json" }),
      ],
      {
        package: {
          ...metadataOf('{"licence":"Apache-2.0","n":[1e+21,0,-1.5,1e-7],"\u20ac":{}}'),
          variant: "linux-amd64",
        },
        retention_summary: {
          class: "release",
          expires_at: "2028-02-29T23:59:59.999Z",
          holds: ["hold-1", "hold-2"],
        },
        provenance: { actor: "user:42", source: "https://example.org/r?x=\u00e9", build: "1042" },
      },
    ),
  ],
  ["paths sorted by bytes: U+FF21 before U+1F600", manifest([f("\uff21", 1), f("\u{1f600}", 2)])],
  ["paths that share a beginning", manifest([f("a", 1), f("a-b", 2), f("a.b", 3), f("aa/b", 4)])],
  ["an empty file", manifest([f("empty", 0)])],
  ["the largest size", manifest([f("large", 1, { size: 2 ** 53 - 1 })])],
  ["two files of one object", manifest([f("a", 7), f("b", 7)])],
  ["an object in two backends", manifest([f("a", 1)], {}, ["archive", "primary"])],
  [
    "metadata nested 64 deep",
    manifest([], { package: metadataOf(`${'{"a":'.repeat(63)}{}${"}".repeat(63)}`) }),
  ],
  ["empty metadata", manifest([], { package: metadataOf("{}") })],
  [
    "metadata with the key __proto__, numbers and escapes",
    manifest([], {
      package: metadataOf(
        String.raw`{"\n":"\u0000\"\\","__proto__":[null,true],"big":333333333333333300}`,
      ),
    }),
  ],
  [
    "a path of 1,024 bytes",
    manifest([f(`${`${"d".repeat(255)}/`.repeat(3)}${"e".repeat(254)}/f`, 1)]),
  ],
];

/** The vectors of manifests. */
export async function manifestVectors() {
  const cases = [];
  for (const [name, value] of valid) {
    const bytes = oracleEncode(value);
    const { primary } = await digestBytes(bytes);
    cases.push({
      name,
      cbor: Buffer.from(bytes).toString("hex"),
      jcs: naiveJcs(value),
      digest: primary.toString(),
    });
  }
  return {
    about:
      "Manifest v1. `cbor` (hex) and `jcs` turn into each other; `digest` is that of the CBOR." +
      " What is refused is refused with `code`.",
    valid: cases,
    invalid: invalidManifestCases(),
    invalid_jcs: invalidJcsCases(),
  };
}
