import { assertNotAborted } from "./aborting.ts";
import type { ResolvedRange } from "./range.ts";

const READ_CHUNK_BYTES = 256 * 1024;

/** Bytes as they were written, chunk by chunk. */
export interface Content {
  readonly chunks: Uint8Array[];
  sizeBytes: number;
}

/** Copies of a part of the bytes, in chunks. */
export function* slices(
  { chunks }: Content,
  { start, end }: ResolvedRange,
  signal: AbortSignal | undefined,
): Generator<Uint8Array> {
  let offset = 0;
  for (const chunk of chunks) {
    const to = Math.min(end - offset, chunk.length);
    for (let from = Math.max(start - offset, 0); from < to; from += READ_CHUNK_BYTES) {
      assertNotAborted(signal, "read");
      yield chunk.slice(from, Math.min(from + READ_CHUNK_BYTES, to));
    }
    offset += chunk.length;
    if (offset >= end) break;
  }
  assertNotAborted(signal, "read");
}

/** Forgets the bytes after the first `sizeBytes`. */
export function truncate(content: Content, sizeBytes: number): void {
  while (content.sizeBytes > sizeBytes) {
    const last = content.chunks.pop();
    if (last === undefined) return;
    content.sizeBytes -= last.length;
    const missing = sizeBytes - content.sizeBytes;
    if (missing > 0) {
      content.chunks.push(last.slice(0, missing));
      content.sizeBytes += missing;
    }
  }
}
