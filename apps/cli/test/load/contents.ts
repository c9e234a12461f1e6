import { createHash } from "node:crypto";

import { parseContentAddress, type ContentAddress } from "@store/identity";

/** Bytes with a digest that the client worked out by itself. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly sha256: ContentAddress;
}

/** A small generator of numbers from 0 to 1, the same for each seed (xorshift32). */
export function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const noise = makeNoise(4 * 1024 * 1024);

/** Bytes of a size that nobody else has who says another `name`. */
export function contentOf(name: string, sizeBytes: number): Content {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let at = 0; at < sizeBytes; at += noise.length) noise.copy(bytes, at);
  bytes.write(`${name} `.slice(0, sizeBytes));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { bytes, sha256: parseContentAddress(`sha256:${sha256}`) };
}

function makeNoise(sizeBytes: number): Buffer {
  const random = randomOf(7);
  const words = Uint32Array.from({ length: sizeBytes / 4 }, () => random() * 2 ** 32);
  return Buffer.from(words.buffer);
}
