export type {
  BackendHealth,
  ByteRange,
  HealthReporter,
  ObjectEnumerator,
  ObjectInspector,
  ObjectPresigner,
  ObjectReader,
  ObjectRemover,
  ObjectRestorer,
  ObjectRetrieval,
  ObjectStager,
  ObjectStat,
  PresignOptions,
  ReadOptions,
  RestoreOptions,
  RestoreSpeed,
  Staged,
  StagedReadOptions,
  StagedStat,
  StagedSweeper,
  StageOptions,
  StorageBackend,
  StorageCapabilities,
  StorageReceipt,
} from "./lib/contract.ts";
export { assertLease } from "./lib/lease.ts";
export { isWhole, resolveRange, type ResolvedRange } from "./lib/range.ts";
export { assertExpected, type Expectation } from "./lib/expectation.ts";
export { createDigester, type Digester } from "./lib/hashing/digester.ts";
export { ingestStream, type IngestOptions, type IngestResult } from "./lib/ingest.ts";
export { SlabWriter } from "./lib/slab-writer.ts";
export { removeObject } from "./lib/remove.ts";
export { replicateObject, type ReplicateOptions } from "./lib/replicate.ts";
export type { CopyObserver, StoredCopy } from "./lib/copy-candidates.ts";
export { serveCopies, type ServeCopiesOptions } from "./lib/serve-copies.ts";
export { serveObject, type ServedObject, type ServeOptions } from "./lib/serve.ts";
export { SmallObjects, type SmallObjectsOptions } from "./lib/small-objects.ts";
export { SourceReader } from "./lib/source-reader.ts";
export { notPresigned, notRestored } from "./lib/unsupported.ts";
export { verifyObject, type VerifyOptions, type VerifyOutcome } from "./lib/verify.ts";
