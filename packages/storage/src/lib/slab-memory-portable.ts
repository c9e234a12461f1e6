export function allocateSlab(sizeBytes: number): Uint8Array {
  return new Uint8Array(sizeBytes);
}

export function copyIntoSlab(slab: Uint8Array, bytes: Uint8Array, offset: number): void {
  slab.set(bytes, offset);
}
