import { hash } from "node:crypto";

/**
 * The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162 section 2.1) over SHA-256, as pure
 * functions. A tree of `size` leaves is carried as its frontier: the roots of the perfect subtrees
 * into which `size` falls, largest first, so one for each bit set in `size`. That is all that
 * appending needs, and 53 hashes at most.
 */

/** Bytes of a hash. */
export const hashBytes = 32;

const leafPrefix = 0x00;
const nodePrefix = 0x01;

// Hashing is synchronous, so one scratch buffer serves every node, and one every leaf that fits.
const nodeInput = new Uint8Array(1 + 2 * hashBytes);
nodeInput[0] = nodePrefix;
const leafInput = new Uint8Array(1 + 4_096);

/** SHA-256, whole input at once. */
export function sha256(bytes: Uint8Array): Uint8Array {
  // As text, one character a byte, a digest costs half of what it costs as a Buffer.
  const text = hash("sha256", bytes, "binary");
  const digest = new Uint8Array(hashBytes);
  for (let index = 0; index < hashBytes; index += 1) digest[index] = text.charCodeAt(index);
  return digest;
}

/** The hash of a leaf: SHA-256(0x00 ‖ `leaf`). */
export function leafHash(leaf: Uint8Array): Uint8Array {
  const size = 1 + leaf.byteLength;
  const input = size <= leafInput.length ? leafInput.subarray(0, size) : new Uint8Array(size);
  input[0] = leafPrefix;
  input.set(leaf, 1);
  return sha256(input);
}

/** The hash of an inner node: SHA-256(0x01 ‖ `left` ‖ `right`). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashBytes);
  return sha256(nodeInput);
}

/** A tree, as far as appending to it and naming its root need it. Never changed in place. */
export interface MerkleTree {
  /** How many leaves it has. */
  readonly size: number;
  /** The roots of its perfect subtrees, largest first. */
  readonly frontier: readonly Uint8Array[];
}

/** The tree without leaves. */
export const emptyTree: MerkleTree = Object.freeze({ size: 0, frontier: Object.freeze([]) });

/** The tree with one leaf more, given by its {@link leafHash}; `tree` stays as it is. */
export function appendLeaf(tree: MerkleTree, leaf: Uint8Array): MerkleTree {
  const frontier = [...tree.frontier];
  let node = leaf;
  // Each trailing 1 of the size is a perfect subtree that the new leaf completes to a larger one.
  for (let size = tree.size; size % 2 === 1; size = (size - 1) / 2) {
    const left = frontier.pop();
    if (left === undefined) throw new RangeError("The frontier is too short for the tree's size.");
    node = nodeHash(left, node);
  }
  frontier.push(node);
  return { size: tree.size + 1, frontier };
}

/** The root of a tree: the hash of nothing where it is empty, else the frontier folded together. */
export function rootOf(tree: MerkleTree): Uint8Array {
  const last = tree.frontier.at(-1);
  if (last === undefined) return sha256(new Uint8Array(0));
  let root = last;
  for (let index = tree.frontier.length - 2; index >= 0; index -= 1) {
    const left = tree.frontier[index];
    if (left !== undefined) root = nodeHash(left, root);
  }
  return root;
}

/** How many hashes the frontier of a tree of `size` leaves has: the bits set in `size`. */
export function frontierLength(size: number): number {
  let bits = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}

/** The frontier as one byte string: its hashes one after the other. */
export function encodeFrontier(frontier: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(frontier.length * hashBytes);
  for (const [index, node] of frontier.entries()) bytes.set(node, index * hashBytes);
  return bytes;
}

/** The tree of `size` leaves from its encoded frontier; undefined where the lengths disagree. */
export function decodeTree(size: number, bytes: Uint8Array): MerkleTree | undefined {
  if (bytes.byteLength !== frontierLength(size) * hashBytes) return undefined;
  const frontier: Uint8Array[] = [];
  for (let start = 0; start < bytes.byteLength; start += hashBytes) {
    frontier.push(bytes.slice(start, start + hashBytes));
  }
  return { size, frontier };
}
