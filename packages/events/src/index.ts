export {
  appendLeaf,
  emptyTree,
  frontierLength,
  leafHash,
  nodeHash,
  rootOf,
  type MerkleTree,
} from "./lib/merkle.ts";
export { encodeHeader } from "./lib/encode-header.ts";
export { decodeHeader, type EventHeader } from "./lib/header.ts";
export { eventLimits } from "./lib/event-rules.ts";
export type { EventDraft } from "./lib/batch.ts";
export type { LogHead } from "./lib/head.ts";
export type { EventLog, LogOptions, LogTransaction, StoredEvents, TailOptions } from "./lib/log.ts";
export { openLog } from "./lib/open-log.ts";
export { pageLimits, type EventQuery } from "./lib/query.ts";
export {
  replay,
  type Project,
  type Replay,
  type ReplayOptions,
  type ReplayProgress,
} from "./lib/replay.ts";
export type { EventFacts, EventScan } from "./lib/scan.ts";
export type { StoredEvent } from "./lib/stored-event.ts";
