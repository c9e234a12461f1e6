import { hash, timingSafeEqual } from "node:crypto";

/**
 * SHA-256 of a secret of 256 random bits, which is what is kept of it: no more than that is needed
 * where nothing can be guessed.
 */
export function digestText(text: string): Uint8Array {
  return bytesOf(hash("sha256", text, "buffer"));
}

/** Whether two digests are the same, in a time that does not tell where they differ. */
export function sameDigest(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}

/** Databases take plain byte arrays. */
function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}
