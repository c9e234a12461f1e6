import { naiveMerkleRoot } from "@store/testing/merkle";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  appendLeaf,
  emptyTree,
  frontierLength,
  leafHash,
  rootOf,
  type MerkleTree,
} from "../src/index.ts";
import { decodeTree, encodeFrontier } from "../src/lib/merkle.ts";
import vectors from "../vectors/merkle.json" with { type: "json" };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

function treeOf(leaves: readonly Uint8Array[]): MerkleTree {
  let tree = emptyTree;
  for (const leaf of leaves) tree = appendLeaf(tree, leafHash(leaf));
  return tree;
}

describe("the Merkle tree", () => {
  test("has the roots that Certificate Transparency published for its eight leaves", () => {
    const leaves = vectors.leaves.map(unhex);
    expect(vectors.roots).toHaveLength(leaves.length + 1);
    for (const [size, root] of vectors.roots.entries()) {
      expect(hex(rootOf(treeOf(leaves.slice(0, size))))).toBe(root);
      expect(hex(naiveMerkleRoot(leaves.slice(0, size)))).toBe(root);
    }
  });

  test("agrees with the definition at every size from 0 to 300", () => {
    const leaves = Array.from({ length: 300 }, (_, index) => Buffer.from(`leaf ${index}`));
    let tree = emptyTree;
    expect(hex(rootOf(tree))).toBe(hex(naiveMerkleRoot([])));
    for (const [index, leaf] of leaves.entries()) {
      tree = appendLeaf(tree, leafHash(leaf));
      expect(tree.size).toBe(index + 1);
      expect(tree.frontier).toHaveLength(frontierLength(tree.size));
      expect(hex(rootOf(tree))).toBe(hex(naiveMerkleRoot(leaves.slice(0, tree.size))));
    }
  });

  test("agrees with the definition for any leaves", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 70 }), (leaves) => {
        expect(hex(rootOf(treeOf(leaves)))).toBe(hex(naiveMerkleRoot(leaves)));
      }),
    );
  });

  test("comes back from its stored frontier and goes on growing the same", () => {
    const leaf = fc.uint8Array({ minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 70 }), fc.array(leaf), (before, after) => {
        const tree = treeOf(before);
        const stored = encodeFrontier(tree.frontier);
        let again = decodeTree(tree.size, stored);
        expect(again).toEqual(tree);
        for (const next of after) again = again && appendLeaf(again, leafHash(next));
        expect(again).toEqual(treeOf([...before, ...after]));
      }),
    );
  });

  test("is left as it was by what is appended to it", () => {
    const tree = treeOf([unhex("00"), unhex("10"), unhex("20")]);
    const before = { size: tree.size, frontier: [...tree.frontier] };
    appendLeaf(tree, leafHash(unhex("30")));
    expect(tree).toEqual(before);
  });

  test("refuses a frontier that does not fit its size", () => {
    const { size, frontier } = treeOf([unhex("00"), unhex("10"), unhex("20")]);
    const stored = encodeFrontier(frontier);
    expect(decodeTree(size + 1, stored)).toBeUndefined();
    expect(decodeTree(size, stored.subarray(1))).toBeUndefined();
  });

  test("counts the hashes of a frontier beyond 32 bits", () => {
    expect(frontierLength(2 ** 53 - 1)).toBe(53);
    expect(frontierLength(2 ** 40)).toBe(1);
    expect(frontierLength(0)).toBe(0);
  });
});
