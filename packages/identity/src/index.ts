export { digestAlgorithms, isDigestAlgorithm, type DigestAlgorithm } from "./lib/algorithms.ts";
export {
  contentAddress,
  digestOf,
  isContentAddress,
  parseContentAddress,
  type ContentAddress,
} from "./lib/content-address.ts";
export { Digest } from "./lib/digest.ts";
export { digestStream, type DigestStreamOptions } from "./lib/digest-stream.ts";
export type { EngineName } from "./lib/engines/engine.ts";
export {
  StoreError,
  isStoreError,
  storeErrorCodes,
  type StoreErrorCode,
  type StoreErrorContext,
  type StoreErrorOptions,
} from "./lib/error.ts";
export {
  assertFilePath,
  findPathConflict,
  pathAncestors,
  type PathConflict,
} from "./lib/file-path.ts";
export {
  createDualHasher,
  createHasher,
  digestBytes,
  hashEngine,
  loadDualHashing,
  type DualDigest,
  type DualHasher,
  type DualHashing,
  type EngineOptions,
  type Hasher,
} from "./lib/hashing.ts";
export {
  coversNamePattern,
  formatNamePattern,
  matchesNamePattern,
  parseNamePattern,
  type NamePart,
  type NamePattern,
} from "./lib/name-pattern.ts";
export {
  assertName,
  assertNamespace,
  assertTag,
  assertVariant,
  assertVersion,
} from "./lib/names.ts";
export {
  formatCoordinates,
  formatReference,
  parseReference,
  type PackageCoordinates,
  type Reference,
  type ReferenceSelector,
} from "./lib/reference.ts";
export {
  compareVersions,
  isPrerelease,
  isSemver,
  latestOf,
  versionSortKey,
  type LatestCandidate,
} from "./lib/versions.ts";
