import { randomBytes } from "node:crypto";

import type { ResolvedRange } from "@store/storage";

import { contentRange } from "./ranges.ts";

export interface MultipartSource {
  readonly ranges: readonly ResolvedRange[];
  /** The whole representation's size. */
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** Opens one range; asked for one after the other. */
  open(range: ResolvedRange): AsyncIterable<Uint8Array>;
}

/** A body of several ranges, and what its headers have to say. */
export interface MultipartBody {
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Several ranges as `multipart/byteranges` (RFC 9110 §14.6). */
export function multipartRanges(source: MultipartSource): MultipartBody {
  // Nobody who wrote the file can know it.
  const boundary = randomBytes(18).toString("base64url");
  const parts = source.ranges.map((range, index) => ({
    range,
    head: Buffer.from(partHead(boundary, source, range, index === 0)),
  }));
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  let sizeBytes = tail.length;
  for (const { head, range } of parts) sizeBytes += head.length + range.end - range.start;
  const write = async function* () {
    for (const { head, range } of parts) {
      yield head;
      yield* source.open(range);
    }
    yield tail;
  };
  return {
    mediaType: `multipart/byteranges; boundary=${boundary}`,
    sizeBytes,
    bytes: write(),
  };
}

function partHead(
  boundary: string,
  { mediaType, sizeBytes }: MultipartSource,
  range: ResolvedRange,
  isFirst: boolean,
): string {
  return (
    `${isFirst ? "" : "\r\n"}--${boundary}\r\n` +
    `Content-Type: ${mediaType}\r\n` +
    `Content-Range: ${contentRange(range, sizeBytes)}\r\n\r\n`
  );
}
