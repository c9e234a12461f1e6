/** Memory that threads read as it is. */
export function allocateSlab(sizeBytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(sizeBytes));
}

/**
 * Copies into a slab. V8 copies into shared memory word by word, or byte by byte where the two are
 * not aligned alike: at 4 GB/s, where `fill` with as many bytes as there is room is a plain copy of
 * 100.
 */
export function copyIntoSlab(slab: Uint8Array, bytes: Uint8Array, offset: number): void {
  if (bytes.length === 0) return;
  Buffer.from(slab.buffer, slab.byteOffset + offset, bytes.length).fill(bytes);
}
