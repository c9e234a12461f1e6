export {
  appendLeaf,
  emptyTree,
  frontierLength,
  leafHash,
  nodeHash,
  rootOf,
  type MerkleTree,
} from "./lib/merkle.ts";
export { decodeHeader, encodeHeader, type EventHeader } from "./lib/header.ts";
export { eventLimits } from "./lib/event-rules.ts";
