import { oracleEncode } from "../oracle.ts";
import { addressOf, bytesOf, manifest, receipt, type Loose } from "./sample.ts";

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "utf8"));
const digests = (seed: number): Loose => ({
  blake3: bytesOf(seed),
  sha256: bytesOf(seed + 100),
});
const file = (path: string, seed = 1): Loose => ({ path, size: 5, digests: digests(seed) });
const described: Loose = {
  namespace: "acme",
  name: "app",
  version: "1.0.0",
  created_at: "2026-01-01T00:00:00.000Z",
};

const withFile = (field: Loose): Loose => manifest([{ ...file("a"), ...field }]);
const withPackage = (field: Loose): Loose => manifest([], { package: { ...described, ...field } });
const withReceipt = (field: Loose): Loose =>
  manifest([file("a")], { storage_receipts: [{ ...receipt(addressOf(1)), ...field }] });
const withRetention = (field: Loose): Loose =>
  manifest([], { retention_summary: { class: "standard", holds: [], ...field } });
const withProvenance = (field: Loose): Loose =>
  manifest([], { provenance: { actor: "user-1", ...field } });
const without = (value: Loose, field: string): Loose =>
  Object.fromEntries(Object.entries(value).filter(([key]) => key !== field));

type Refusal = readonly [why: string, value: unknown];

const whole: readonly Refusal[] = [
  ["an array for the manifest", []],
  ["text for the manifest", "manifest"],
  ["an empty map", {}],
  ...Object.keys(manifest([])).map((field): Refusal => [
    `the field ${field} is missing`,
    without(manifest([]), field),
  ]),
  ["an unknown field", manifest([], { extra: 1 })],
  ["the field __proto__", Object.fromEntries([...Object.entries(manifest([])), ["__proto__", 1]])],
  ["the field constructor", manifest([], { constructor: 1 })],
  ["version 2", manifest([], { manifest_version: 2 })],
  ["version 0", manifest([], { manifest_version: 0 })],
  ["the version as text", manifest([], { manifest_version: "1" })],
  ["null for files", manifest([], { files: null })],
  ["a map for files", manifest([], { files: {} })],
  ["a map for storage_receipts", manifest([], { storage_receipts: {} })],
  ["an array for the package", manifest([], { package: [] })],
];

const packages: readonly Refusal[] = [
  ["an unknown field of the package", withPackage({ id: "x" })],
  ["a namespace in upper case", withPackage({ namespace: "Acme" })],
  ["an empty name", withPackage({ name: "" })],
  ["a name of 129 characters", withPackage({ name: "a".repeat(129) })],
  ["a version with a space", withPackage({ version: "1 0" })],
  ["null for the variant", withPackage({ variant: null })],
  ["an empty variant", withPackage({ variant: "" })],
  ["a time without milliseconds", withPackage({ created_at: "2026-01-01T00:00:00Z" })],
  ["a time with microseconds", withPackage({ created_at: "2026-01-01T00:00:00.000000Z" })],
  ["a time with an offset", withPackage({ created_at: "2026-01-01T00:00:00.000+00:00" })],
  ["a time in lower case", withPackage({ created_at: "2026-01-01t00:00:00.000z" })],
  ["a day that does not exist", withPackage({ created_at: "2026-02-30T00:00:00.000Z" })],
  ["February 29 in no leap year", withPackage({ created_at: "2026-02-29T00:00:00.000Z" })],
  ["month 13", withPackage({ created_at: "2026-13-01T00:00:00.000Z" })],
  ["hour 24", withPackage({ created_at: "2026-01-01T24:00:00.000Z" })],
  ["a leap second", withPackage({ created_at: "2016-12-31T23:59:60.000Z" })],
  ["a year of five digits", withPackage({ created_at: "+12026-01-01T00:00:00.000Z" })],
  ["a time as a number", withPackage({ created_at: 1_767_225_600 })],
  ["a line feed after the time", withPackage({ created_at: "2026-01-01T00:00:00.000Z\n" })],
  ["metadata as text", withPackage({ metadata: "{}" })],
  ["metadata as a map", withPackage({ metadata: {} })],
  ["empty metadata bytes", withPackage({ metadata: new Uint8Array(0) })],
  ["metadata that is an array", withPackage({ metadata: text("[]") })],
  ["metadata that is null", withPackage({ metadata: text("null") })],
  ["metadata with a space", withPackage({ metadata: text('{"a": 1}') })],
  ["metadata with unsorted keys", withPackage({ metadata: text('{"b":1,"a":2}') })],
  ["metadata with a key twice", withPackage({ metadata: text('{"a":1,"a":2}') })],
  ["metadata with 1.0", withPackage({ metadata: text('{"a":1.0}') })],
  ["metadata with -0", withPackage({ metadata: text('{"a":-0}') })],
  ["metadata with 1E21", withPackage({ metadata: text('{"a":1E21}') })],
  ["metadata with a needless escape", withPackage({ metadata: text('{"a":"\\u0041"}') })],
  ["metadata with a lone surrogate", withPackage({ metadata: text('{"a":"\\ud800"}') })],
  ["metadata with a byte order mark", withPackage({ metadata: text("\ufeff{}") })],
  ["metadata with a line feed at its end", withPackage({ metadata: text("{}\n") })],
  ["metadata that is not UTF-8", withPackage({ metadata: new Uint8Array([0x7b, 0xff, 0x7d]) })],
  [
    "metadata nested 65 deep",
    withPackage({ metadata: text(`${'{"a":'.repeat(64)}{}${"}".repeat(64)}`) }),
  ],
];

const files: readonly Refusal[] = [
  ["null for a file", manifest([], { files: [null] })],
  ["an unknown field of a file", withFile({ mode: 0o755 })],
  ["no size", manifest([without(file("a"), "size")])],
  ["a negative size", withFile({ size: -1 })],
  ["a size as text", withFile({ size: "5" })],
  ["executable false", withFile({ executable: false })],
  ["executable null", withFile({ executable: null })],
  ["executable 1", withFile({ executable: 1 })],
  ["null for the media type", withFile({ media_type: null })],
  ["an empty media type", withFile({ media_type: "" })],
  ["a media type without a subtype", withFile({ media_type: "text" })],
  ["a media type with two slashes", withFile({ media_type: "a/b/c" })],
  ["a media type with a space", withFile({ media_type: "text/ plain" })],
  ["a media type with a line feed", withFile({ media_type: "text/plain\n" })],
  ["a media type with half a parameter", withFile({ media_type: "text/plain; charset" })],
  ["a media type with an open quote", withFile({ media_type: 'text/plain; a="b' })],
  ["a media type of 256 bytes", withFile({ media_type: `a/b; c=${"d".repeat(249)}` })],
  ["no SHA-256", withFile({ digests: { blake3: bytesOf(1) } })],
  ["no BLAKE3", manifest([], { files: [{ ...file("a"), digests: { sha256: bytesOf(1) } }] })],
  ["an unknown algorithm", withFile({ digests: { ...digests(1), sha512: new Uint8Array(64) } })],
  ["a digest of 31 bytes", withFile({ digests: { ...digests(1), sha256: bytesOf(1).slice(1) } })],
  ["a digest as text", withFile({ digests: { ...digests(1), sha256: addressOf(1) } })],
  ["an array for the digests", manifest([], { files: [{ ...file("a"), digests: [] }] })],
  ...["", "/a", "a//b", "a/", "./a", "a/..", "../a", "a\\b", "a\u0001b", "e\u0301", "C:/a"].map(
    (path): Refusal => [`the path ${JSON.stringify(path)}`, manifest([file(path)])],
  ),
  ["a path of 1,025 bytes", manifest([file(`${"a/".repeat(512)}b`)])],
  ["a segment of 256 bytes", manifest([file("a".repeat(256))])],
  ["a path as bytes", withFile({ path: text("a") })],
  ["files that are not sorted", manifest([file("b"), file("a", 2)])],
  ["a path twice", manifest([file("a"), file("a")])],
  ["paths sorted by UTF-16", manifest([file("\u{1f600}"), file("\uff21", 2)])],
  ["a file that is a folder of the next", manifest([file("a"), file("a/b", 2)])],
  [
    "a file that is a folder of a later one",
    manifest([file("a"), file("a-b", 2), file("a.b", 3), file("a/b/c", 4)]),
  ],
  ["one BLAKE3 and two sizes", manifest([file("a"), { ...file("b"), size: 6 }])],
  [
    "one BLAKE3 and two SHA-256",
    manifest([file("a"), { ...file("b"), digests: { ...digests(1), sha256: bytesOf(9) } }]),
  ],
];

const receipts: readonly Refusal[] = [
  ["no receipt for a file", manifest([file("a")], { storage_receipts: [] })],
  [
    "no receipt for one of two files",
    manifest([file("a"), file("b", 2)], { storage_receipts: [receipt(addressOf(2))] }),
  ],
  ["a receipt for no file", manifest([], { storage_receipts: [receipt(addressOf(1))] })],
  [
    "a receipt twice",
    manifest([file("a")], {
      storage_receipts: [receipt(addressOf(1)), receipt(addressOf(1))],
    }),
  ],
  [
    "receipts not sorted by address",
    manifest([file("a"), file("b", 2)], {
      storage_receipts: [receipt(addressOf(2)), receipt(addressOf(1))],
    }),
  ],
  [
    "receipts not sorted by backend",
    manifest([file("a")], {
      storage_receipts: [receipt(addressOf(1), "primary"), receipt(addressOf(1), "archive")],
    }),
  ],
  [
    "a receipt by SHA-256",
    withReceipt({ content_address: `sha256:${Buffer.from(bytesOf(101)).toString("hex")}` }),
  ],
  ["an address in upper case", withReceipt({ content_address: addressOf(1).toUpperCase() })],
  ["an address that is too short", withReceipt({ content_address: addressOf(1).slice(0, -1) })],
  ["an address as bytes", withReceipt({ content_address: bytesOf(1) })],
  ["an unknown field of a receipt", withReceipt({ size: 5 })],
  ["a backend in upper case", withReceipt({ backend: "Primary" })],
  ["an empty backend", withReceipt({ backend: "" })],
  ["a receipt without a time", withReceipt({ stored_at: null })],
];

const rest: readonly Refusal[] = [
  ["no retention class", manifest([], { retention_summary: { holds: [] } })],
  ["an empty retention class", withRetention({ class: "" })],
  ["null for the expiry", withRetention({ expires_at: null })],
  ["a bad expiry", withRetention({ expires_at: "never" })],
  ["no holds", manifest([], { retention_summary: { class: "standard" } })],
  ["holds that are not sorted", withRetention({ holds: ["b", "a"] })],
  ["a hold twice", withRetention({ holds: ["a", "a"] })],
  ["an empty hold", withRetention({ holds: [""] })],
  ["a hold as a number", withRetention({ holds: [1] })],
  [
    "1,001 holds",
    withRetention({ holds: Array.from({ length: 1001 }, (_, n) => `h${String(n + 1000)}`) }),
  ],
  ["an unknown field of the retention", withRetention({ extra: 1 })],
  ["an empty actor", withProvenance({ actor: "" })],
  ["an actor of 2,049 bytes", withProvenance({ actor: "a".repeat(2049) })],
  ["a source of 2,049 bytes", withProvenance({ source: `${"\u00e9".repeat(1024)}a` })],
  ["null for the build", withProvenance({ build: null })],
  ["an unknown field of the provenance", withProvenance({ extra: "x" })],
];

/** Changes the encoding of a valid manifest, where its bytes are known to hold `from` once. */
function patched(from: string, to: string): string {
  const hex = Buffer.from(oracleEncode(manifest([file("a")]))).toString("hex");
  const parts = hex.split(from);
  if (parts.length !== 2) throw new Error(`"${from}" occurs ${parts.length - 1} times.`);
  return parts.join(to);
}

const hexOf = (value: string): string => Buffer.from(value, "utf8").toString("hex");

/** The entries of the outer map in canonical order, each encoded. */
function topEntries(): string[] {
  const fields = Object.entries(manifest([file("a")]));
  const encoded = fields.map(([key, value]) => oracleEncode({ [key]: value }));
  return encoded
    .toSorted((left, right) => Buffer.compare(left, right))
    .map((bytes) => Buffer.from(bytes.subarray(1)).toString("hex"));
}

/** A map of as many entries, in this order. */
function join(entries: readonly string[]): string {
  return `a${entries.length}${entries.join("")}`;
}

function notCanonical(): readonly (readonly [why: string, cbor: string])[] {
  const valid = patched(hexOf("acme"), hexOf("acme"));
  const entries = topEntries();
  const [first, second, others] = [entries.slice(1, 2), entries.slice(0, 1), entries.slice(2)];
  return [
    ["nothing at all", ""],
    ["a byte after the manifest", `${valid}00`],
    ["the manifest twice", valid + valid],
    ["the last byte is missing", valid.slice(0, -2)],
    ["the self-described CBOR tag in front", `d9d9f7${valid}`],
    ["the outer map of indefinite length", `bf${valid.slice(2)}ff`],
    ["an entry too many is claimed", `a7${valid.slice(2)}`],
    ["the length of the outer map in two bytes", `b806${valid.slice(2)}`],
    [
      "the length of files in two bytes",
      patched(`65${hexOf("files")}81`, `65${hexOf("files")}9801`),
    ],
    ["files of indefinite length", patched(`65${hexOf("files")}81`, `65${hexOf("files")}9f`)],
    ["the size in two bytes", patched(`64${hexOf("size")}05`, `64${hexOf("size")}1805`)],
    ["the size as a float", patched(`64${hexOf("size")}05`, `64${hexOf("size")}f94500`)],
    ["the size 2^53", patched(`64${hexOf("size")}05`, `64${hexOf("size")}1b0020000000000000`)],
    ["U+0000 in the actor", patched(`66${hexOf("user-1")}`, `66${hexOf("user\0a")}`)],
    ["an actor that is not UTF-8", patched(`66${hexOf("user-1")}`, `66${hexOf("user-")}ff`)],
    ["the fields of the manifest in the wrong order", join([...first, ...second, ...others])],
    ["a field of the manifest twice", join([...entries, ...entries.slice(-1)])],
    ["the files twice", join([...entries.slice(0, 1), ...entries])],
    [
      "the fields of a file in the wrong order",
      patched(
        `64${hexOf("path")}616164${hexOf("size")}05`,
        `64${hexOf("size")}0564${hexOf("path")}6161`,
      ),
    ],
    [
      "a field of a file twice",
      patched(`a364${hexOf("path")}6161`, `a464${hexOf("path")}616164${hexOf("path")}6161`),
    ],
  ];
}

/** What `decodeManifest` refuses, and with which code. */
export function invalidManifestCases() {
  return [
    ...[...whole, ...packages, ...files, ...receipts, ...rest].map(([why, value]) => ({
      name: why,
      cbor: Buffer.from(oracleEncode(value)).toString("hex"),
      code: "invalid_manifest",
    })),
    ...notCanonical().map(([why, cbor]) => ({ name: why, cbor, code: "invalid_cbor" })),
  ];
}
