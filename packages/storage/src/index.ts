export type {
  BackendHealth,
  ByteRange,
  HealthReporter,
  ObjectEnumerator,
  ObjectInspector,
  ObjectReader,
  ObjectRemover,
  ObjectStager,
  ObjectStat,
  ReadOptions,
  Staged,
  StagedStat,
  StagedSweeper,
  StageOptions,
  StorageBackend,
  StorageCapabilities,
  StorageReceipt,
} from "./lib/contract.ts";
export { assertLease } from "./lib/lease.ts";
export { isWhole, resolveRange, type ResolvedRange } from "./lib/range.ts";
