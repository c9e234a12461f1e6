import { contentAddress, createDualHasher, type ContentAddress } from "@store/identity";

const blockBytes = 256 * 1024;
const block = Uint8Array.from(
  { length: blockBytes },
  (_, index) => (index * 31 + (index >> 9)) & 255,
);

/** Bytes of any size that differ from block to block, from an offset on; each chunk is its own. */
export function* streamOf(sizeBytes: number, from = 0): Generator<Uint8Array> {
  let offset = from;
  while (offset < sizeBytes) {
    const index = Math.floor(offset / blockBytes);
    const chunk = new Uint8Array(block);
    new DataView(chunk.buffer).setUint32(0, index);
    const start = offset - index * blockBytes;
    const end = Math.min(blockBytes, sizeBytes - index * blockBytes);
    yield chunk.subarray(start, end);
    offset = index * blockBytes + end;
  }
}

/** The address of the whole. */
export async function addressOfStream(sizeBytes: number): Promise<ContentAddress> {
  const hasher = await createDualHasher();
  for (const chunk of streamOf(sizeBytes)) hasher.update(chunk);
  return contentAddress(hasher.digest().primary);
}
