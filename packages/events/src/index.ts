export {
  appendLeaf,
  emptyTree,
  frontierLength,
  leafHash,
  nodeHash,
  rootOf,
  type MerkleTree,
} from "./lib/merkle.ts";
