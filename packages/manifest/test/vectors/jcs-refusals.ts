import { naiveJcs } from "./naive-jcs.ts";
import { addressOf, bytesOf, manifest } from "./sample.ts";

const valid = naiveJcs(
  manifest([{ path: "a", size: 5, digests: { blake3: bytesOf(1), sha256: bytesOf(101) } }], {
    package: {
      namespace: "acme",
      name: "app",
      version: "1.0.0",
      created_at: "2026-01-01T00:00:00.000Z",
      metadata: new Uint8Array(Buffer.from('{"a":[1,2]}')),
    },
  }),
);

function patched(from: string, to: string): string {
  const parts = valid.split(from);
  if (parts.length !== 2) throw new Error(`"${from}" occurs ${parts.length - 1} times.`);
  return parts.join(to);
}

const reordered = `{"manifest_version":1,${valid.slice(1).replace(',"manifest_version":1', "")}`;

/** What `fromJcs` refuses, and with which code. */
export function invalidJcsCases() {
  const notCanonical = [
    ["nothing at all", ""],
    ["a line feed at the end", `${valid}\n`],
    ["a space in front", ` ${valid}`],
    ["a space after a comma", patched(',"manifest_version"', ', "manifest_version"')],
    ["a space in an entry", patched('"path":"a"', '"path": "a"')],
    ["a byte order mark", `\ufeff${valid}`],
    ["two documents", valid + valid],
    ["the last brace is missing", valid.slice(0, -1)],
    [
      "the fields of a file in another order",
      patched('"path":"a","size":5', '"size":5,"path":"a"'),
    ],
    ["the fields of the manifest in another order", reordered],
    ["a field of the manifest twice", patched(',"package":', ',"manifest_version":1,"package":')],
    ["a field twice", patched('"size":5', '"size":5,"size":5')],
    ["the size as 5.0", patched('"size":5', '"size":5.0')],
    ["a needless escape", patched('"path":"a"', String.raw`"path":"\u0061"`)],
    ["a lone surrogate", patched('"path":"a"', String.raw`"path":"\ud800"`)],
    ["a needless escape in a key", patched('"files"', String.raw`"file\u0073"`)],
    ["metadata with unsorted keys", patched('{"a":[1,2]}', '{"b":1,"a":2}')],
    [
      "a comma before the end of an array",
      patched('}],"manifest_version"', '},],"manifest_version"'),
    ],
    ["no comma between fields", patched(',"manifest_version"', '"manifest_version"')],
    ["no colon after a key", patched('"manifest_version":1', '"manifest_version"1')],
    ["two colons after a key", patched('"manifest_version":1', '"manifest_version"::1')],
    ["no value", patched('"manifest_version":1', '"manifest_version":')],
    ["text instead of JSON", "manifest"],
  ] as const;
  const notManifest = [
    ["an empty object", "{}"],
    ["an array", "[]"],
    ["null", "null"],
    ["an unknown field", `${valid.slice(0, -1)},"zzz":1}`],
    ["files that are no array", patched(/"files":(\[.*?\])/.exec(valid)?.[1] ?? "", "null")],
    [
      "a digest of another algorithm",
      patched(`"blake3":"${addressOf(1)}"`, `"blake3":"sha256:${"0".repeat(64)}"`),
    ],
    ["a digest without its algorithm", patched(`"blake3":"blake3:`, `"blake3":"`)],
    ["a digest that is too short", patched(`"blake3":"${addressOf(1)}"`, `"blake3":"blake3:00"`)],
    [
      "a digest in upper case",
      patched(`"blake3":"${addressOf(1)}"`, `"blake3":"${addressOf(1).toUpperCase()}"`),
    ],
    ["a digest as a number", patched(`"blake3":"${addressOf(1)}"`, `"blake3":1`)],
    ["metadata that is text", patched('{"a":[1,2]}', '"e30"')],
    ["metadata that is null", patched('{"a":[1,2]}', "null")],
    ["metadata that is an array", patched('{"a":[1,2]}', "[1,2]")],
    ["a fraction for the size", patched('"size":5', '"size":5.5')],
  ] as const;
  return [
    ...notCanonical.map(([name, jcs]) => ({ name, jcs, code: "invalid_json" })),
    ...notManifest.map(([name, jcs]) => ({ name, jcs, code: "invalid_manifest" })),
  ];
}
