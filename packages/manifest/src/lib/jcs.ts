import { assertBytes } from "./cbor.ts";
import { decodeManifest, encodeManifest } from "./codec.ts";
import { JsonCursor } from "./json-cursor.ts";
import { canonicalText } from "./json.ts";
import { assertManifestSize, manifestLimits, type Manifest } from "./manifest.ts";
import { projectFile, projectPackage, unprojectFile, unprojectPackage } from "./projection.ts";
import { readManifest, type Reading } from "./read.ts";
import { writeManifest, type Writing } from "./write.ts";

const textEncoder = new TextEncoder();

/** By UTF-16 code units: RFC 8785 §3.2.3. */
const fields = [
  "files",
  "manifest_version",
  "package",
  "provenance",
  "retention_summary",
  "storage_receipts",
] as const satisfies readonly (keyof Manifest)[];

const [firstField] = fields;

const jcsWriting: Writing = {
  limitBytes: manifestLimits.maxJcsBytes,
  fields,
  before: (field) => textEncoder.encode(`${field === firstField ? "{" : ","}"${field}":`),
  end: textEncoder.encode("}"),
  arrayStart: () => textEncoder.encode("["),
  separator: textEncoder.encode(","),
  arrayEnd: textEncoder.encode("]"),
  file: (file) => canonicalBytes(projectFile(file)),
  receipt: canonicalBytes,
  part: (summary, field) =>
    canonicalBytes(field === "package" ? projectPackage(summary.package) : summary[field]),
};

const jcsReading: Reading = {
  file: (item, index) => unprojectFile(item, `files[${index}]`),
  receipt: (item) => item,
  part: (field, item) => (field === "package" ? unprojectPackage(item) : item),
};

/** The package, and its metadata within. */
const maxItemDepth = manifestLimits.maxMetadataDepth + 1;
/** The longest part is the package; its other fields take far less than the rest of this. */
const maxItemBytes = manifestLimits.maxMetadataBytes + 256 * 1024;

/**
 * Projects a manifest, or its canonical CBOR, to canonical JSON (RFC 8785): digests become
 * `algorithm:hex`, metadata the JSON that it is. The work is done in slices, as in
 * `encodeManifest`.
 *
 * @throws {StoreError} what `encodeManifest` or `decodeManifest` throws
 */
export async function toJcs(manifest: Uint8Array | Manifest): Promise<Uint8Array> {
  const value = manifest instanceof Uint8Array ? await decodeManifest(manifest) : manifest;
  return writeManifest(value, jcsWriting);
}

/**
 * Turns a projection back into the manifest's canonical CBOR, byte for byte that of which it was
 * made. JSON is accepted only in its canonical form.
 *
 * @throws {StoreError} `invalid_json`, `invalid_manifest` or `limit_exceeded`
 */
export async function fromJcs(bytes: Uint8Array): Promise<Uint8Array> {
  assertBytes(bytes);
  assertManifestSize(bytes.length, manifestLimits.maxJcsBytes);
  const cursor = new JsonCursor(bytes, { maxItemDepth, maxItemBytes });
  return encodeManifest(await readManifest(cursor, jcsReading));
}

function canonicalBytes(value: unknown): Uint8Array {
  return textEncoder.encode(canonicalText(value));
}
