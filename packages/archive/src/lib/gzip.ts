import { crc32 } from "./crc32.ts";
import { Deflater } from "./deflate.ts";
import type { ArchiveWork } from "./work.ts";

/**
 * RFC 1952 section 2.3: DEFLATE, no name, no time, by a fast algorithm, on an unknown file system.
 */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);

/** `source` as one gzip member. */
export async function* writeGzip(
  source: AsyncIterable<Uint8Array>,
  work: ArchiveWork,
): AsyncGenerator<Uint8Array, void, undefined> {
  let crc = 0;
  let sizeBytes = 0;
  async function* observed(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      crc = crc32(chunk, crc);
      sizeBytes += chunk.length;
      yield chunk;
    }
  }
  yield header;
  yield* new Deflater(work).stream(observed());
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, sizeBytes % 2 ** 32, true);
  yield new Uint8Array(trailer.buffer);
}
