import { randomFillSync } from "node:crypto";

/** Bytes that compress to nothing and repeat nowhere within themselves. */
export function randomBytes(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const step = 16 * 1024 * 1024;
  for (let start = 0; start < sizeBytes; start += step) {
    randomFillSync(bytes, start, Math.min(step, sizeBytes - start));
  }
  return bytes;
}

let stamp = 0n;

/** Writes a number that no call before wrote over the first 8 bytes, so that the bytes are new. */
export function makeNew(bytes: Uint8Array): void {
  stamp += 1n;
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, stamp);
}
