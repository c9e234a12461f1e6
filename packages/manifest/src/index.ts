export { fileContentAddress, fileDualDigest, packageCoordinates } from "./lib/accessors.ts";
export { compareBytewise } from "./lib/bytewise.ts";
export { decodeCbor, defaultCborLimits, encodeCbor, type CborLimits } from "./lib/cbor.ts";
export type { CborValue } from "./lib/cbor-model.ts";
export {
  decodeManifest,
  encodeManifest,
  manifestDigest,
  readManifestSummary,
} from "./lib/codec.ts";
export { isMediaType } from "./lib/fields.ts";
export { fromJcs, toJcs } from "./lib/jcs.ts";
export {
  canonicalizeJson,
  defaultJsonLimits,
  parseJson,
  type JsonLimits,
  type JsonValue,
} from "./lib/json.ts";
export {
  manifestLimits,
  type Manifest,
  type ManifestDigests,
  type ManifestFile,
  type ManifestPackage,
  type ManifestProvenance,
  type ManifestReceipt,
  type ManifestRetention,
  type ManifestSummary,
} from "./lib/manifest.ts";
export { manifestSchema } from "./lib/schema.ts";
