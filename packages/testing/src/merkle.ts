import { createHash } from "node:crypto";

/**
 * The Merkle tree hash straight from its definition in RFC 6962 section 2.1: recursive, over all
 * leaves, sharing nothing with the code under test. An oracle, not a tool: it copies and recurses.
 */
export function naiveMerkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return digest([]);
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return digest([Uint8Array.of(0x00), only]);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const left = naiveMerkleRoot(leaves.slice(0, split));
  const right = naiveMerkleRoot(leaves.slice(split));
  return digest([Uint8Array.of(0x01), left, right]);
}

function digest(parts: readonly Uint8Array[]): Uint8Array {
  const sha256 = createHash("sha256");
  for (const part of parts) sha256.update(part);
  return new Uint8Array(sha256.digest());
}
