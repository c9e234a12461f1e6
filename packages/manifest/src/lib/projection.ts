import { Digest, digestOf, isStoreError, parseContentAddress, StoreError } from "@store/identity";
import { canonicalText, decodeUtf8 } from "./json.ts";
import { manifestLimits, type ManifestFile, type ManifestPackage } from "./manifest.ts";

const textEncoder = new TextEncoder();

/** A file as JSON shows it: each digest as `algorithm:hex`. */
export function projectFile(file: ManifestFile): object {
  const { blake3, sha256 } = file.digests;
  return {
    ...file,
    digests: {
      blake3: Digest.of("blake3", blake3).toString(),
      sha256: Digest.of("sha256", sha256).toString(),
    },
  };
}

/** A package as JSON shows it: its metadata as what it says, not as bytes. */
export function projectPackage(described: ManifestPackage): object {
  const { metadata, ...rest } = described;
  if (metadata === undefined) return rest;
  const value: unknown = JSON.parse(decodeUtf8(metadata, manifestLimits.maxMetadataBytes));
  return { ...rest, metadata: value };
}

/** The reverse of {@link projectFile}; what has another shape is left for the schema to refuse. */
export function unprojectFile(item: unknown, where: string): unknown {
  if (!isObject(item) || !isObject(item["digests"])) return item;
  const digests: { [algorithm: string]: unknown } = {};
  for (const [algorithm, text] of Object.entries(item["digests"])) {
    // Not by assignment: the key may be __proto__.
    const value = unprojectDigest(algorithm, text, where);
    Object.defineProperty(digests, algorithm, { value, enumerable: true });
  }
  return { ...item, digests };
}

/** The reverse of {@link projectPackage}. */
export function unprojectPackage(item: unknown): unknown {
  if (!isObject(item) || item["metadata"] === undefined) return item;
  return { ...item, metadata: textEncoder.encode(canonicalText(item["metadata"])) };
}

function unprojectDigest(algorithm: string, text: unknown, where: string): unknown {
  if (typeof text !== "string") return text;
  let reason = `must be written as ${algorithm}:<hex>`;
  try {
    const digest = digestOf(parseContentAddress(text));
    if (digest.algorithm === algorithm) return digest.bytes;
  } catch (error) {
    if (!isStoreError(error, "invalid_digest")) throw error;
    reason = error.message.replace(/\.$/, "");
  }
  throw new StoreError(
    "invalid_manifest",
    `The manifest is not valid: ${where}.digests.${algorithm}: ${reason}.`,
  );
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
