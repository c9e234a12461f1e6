/** A piece of this size or more is passed on as it is; a smaller one is copied beside others. */
const passBytes = 64 * 1024;
const slabBytes = 256 * 1024;

/**
 * Puts the small pieces that archives are made of (headers, padding, small files) together, so
 * that the receiver has tens of thousands of bytes a chunk. Keeps at most 256 KiB.
 */
export async function* coalesce(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let slab: Uint8Array | undefined;
  let heldBytes = 0;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    if (slab !== undefined && (piece.length >= passBytes || heldBytes + piece.length > slabBytes)) {
      yield slab.subarray(0, heldBytes);
      slab = undefined;
    }
    if (piece.length >= passBytes) {
      yield piece;
      continue;
    }
    if (slab === undefined) {
      slab = new Uint8Array(slabBytes);
      heldBytes = 0;
    }
    slab.set(piece, heldBytes);
    heldBytes += piece.length;
  }
  if (slab !== undefined) yield slab.subarray(0, heldBytes);
}
