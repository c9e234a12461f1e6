import { createHasher, type Digest } from "@store/identity";
import { CborCursor, containerHead } from "./cbor-cursor.ts";
import { assertBytes, defaultCborLimits, encodeModelValue } from "./cbor.ts";
import { assertManifestSize, manifestLimits } from "./manifest.ts";
import type { Manifest, ManifestSummary } from "./manifest.ts";
import { Pacer } from "./pacer.ts";
import { readManifest, readSummary, type Reading } from "./read.ts";
import { writeManifest, type Writing } from "./write.ts";

const nothing = new Uint8Array(0);

/** Shorter keys first, then bytewise: RFC 8949 §4.2.1 for text. */
const fields = [
  "files",
  "package",
  "provenance",
  "manifest_version",
  "storage_receipts",
  "retention_summary",
] as const satisfies readonly (keyof Manifest)[];

const [firstField] = fields;
const mapHead = containerHead("map", fields.length);

const cborWriting: Writing = {
  limitBytes: manifestLimits.maxBytes,
  fields,
  before: (field) =>
    field === firstField
      ? new Uint8Array([...mapHead, ...encodeModelValue(field)])
      : encodeModelValue(field),
  end: nothing,
  arrayStart: (length) => containerHead("array", length),
  separator: nothing,
  arrayEnd: nothing,
  file: encodeModelValue,
  receipt: encodeModelValue,
  part: (summary, field) => encodeModelValue(summary[field]),
};

/** CBOR shows a manifest as it is. */
const cborReading: Reading = {
  file: (item) => item,
  receipt: (item) => item,
  part: (_field, item) => item,
};

/** The longest part that is read whole is `package` with its metadata. */
const maxItemBytes = manifestLimits.maxMetadataBytes + 256 * 1024;

/**
 * Encodes a manifest as canonical CBOR: one manifest, one byte string. Everything that
 * {@link decodeManifest} would refuse is refused.
 *
 * The work is done in slices of a few milliseconds, between which the event loop turns. Change
 * the manifest only after the promise has settled.
 *
 * @throws {StoreError} `invalid_manifest`, or `limit_exceeded` above `manifestLimits.maxBytes`
 */
export function encodeManifest(manifest: Manifest): Promise<Uint8Array> {
  return writeManifest(manifest, cborWriting);
}

/**
 * Decodes a manifest, in slices like {@link encodeManifest}. Bytes are accepted only if they are
 * canonical CBOR and hold a valid manifest: encoding the result gives the same bytes.
 *
 * @throws {StoreError} `invalid_cbor`, `invalid_manifest` or `limit_exceeded`
 */
export async function decodeManifest(bytes: Uint8Array): Promise<Manifest> {
  return readManifest(cursorOf(bytes), cborReading);
}

/**
 * Reads what a manifest says of the whole package, and passes over its files and receipts: fast
 * however many there are, and without a promise. For bytes that are known to be a manifest, such
 * as those that the log holds: what is passed over is not checked.
 *
 * @throws {StoreError} `invalid_cbor`, `invalid_manifest` or `limit_exceeded`
 */
export function readManifestSummary(bytes: Uint8Array): ManifestSummary {
  return readSummary(cursorOf(bytes));
}

function cursorOf(bytes: Uint8Array): CborCursor {
  assertBytes(bytes);
  assertManifestSize(bytes.length, manifestLimits.maxBytes);
  return new CborCursor(bytes, { ...defaultCborLimits, maxItemBytes });
}

/** What is hashed at a time: with the slowest engine, a few milliseconds. */
const hashedBytes = 1024 * 1024;

/**
 * The BLAKE3 digest of a manifest's canonical bytes, which identifies the package. The bytes
 * are taken as they are; {@link decodeManifest} says whether they are a manifest.
 */
export async function manifestDigest(bytes: Uint8Array): Promise<Digest> {
  assertBytes(bytes);
  const hasher = await createHasher("blake3");
  const pacer = new Pacer();
  for (let offset = 0; offset < bytes.length; offset += hashedBytes) {
    hasher.update(bytes.subarray(offset, offset + hashedBytes));
    if (pacer.isDue()) await pacer.pause();
  }
  return hasher.digest();
}
