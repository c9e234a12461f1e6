import { createHasher, contentAddress, StoreError, type ContentAddress } from "@store/identity";

import { chunksOf, joined } from "../http/streams.ts";
import { isBlob, type Restartable } from "../http/transport.ts";
import type { ByteRange } from "../methods/download.ts";

/** A file that is to be uploaded. It is read twice: to hash it, and to send it where it must be. */
export interface UploadSource {
  /** Where it goes in the package. */
  readonly path: string;
  readonly executable?: boolean;
  readonly mediaType?: string;
  /** How many bytes it has, where that is known; decides nothing but the order of work. */
  readonly sizeBytes?: number;
  /** The bytes, or those of a range: the same each time. */
  open(range?: ByteRange): AsyncIterable<Uint8Array> | Blob;
}

/** A source whose bytes are known. */
export interface HashedSource {
  readonly source: UploadSource;
  readonly address: ContentAddress;
  readonly sizeBytes: number;
  /** All of them, of a small one. */
  readonly bytes?: Uint8Array;
}

/** A `Blob`, or a `File` that a user chose in a browser. */
export function blobSource(
  blob: Blob,
  { path, executable }: { readonly path: string; readonly executable?: boolean },
): UploadSource {
  return {
    path,
    sizeBytes: blob.size,
    ...(executable === undefined ? {} : { executable }),
    ...(blob.type === "" ? {} : { mediaType: blob.type }),
    open: ({ start, end } = { start: 0 }) => blob.slice(start, end),
  };
}

/** Hashes a source; keeps its bytes where they are at most `keepBytes`. */
export async function hashSource(
  source: UploadSource,
  keepBytes: number,
  signal: AbortSignal,
): Promise<HashedSource> {
  const hasher = await createHasher("blake3");
  const kept: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of bytesOf(source.open())) {
    signal.throwIfAborted();
    hasher.update(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes <= keepBytes) kept.push(chunk);
  }
  const hashed = { source, address: contentAddress(hasher.digest()), sizeBytes };
  return sizeBytes > keepBytes ? hashed : { ...hashed, bytes: joined(kept, sizeBytes) };
}

/** The bytes of a hashed source, or a part of them, which can be begun again. */
export function bodyOf(hashed: HashedSource, start = 0, end = hashed.sizeBytes): Restartable {
  const { source, sizeBytes, bytes } = hashed;
  const restart = () => {
    if (bytes !== undefined) return bytes.subarray(start, end);
    const isWhole = start === 0 && end === sizeBytes;
    const opened = isWhole ? source.open() : source.open({ start, end });
    if (!isBlob(opened)) return sized(opened, end - start, source.path);
    if (opened.size !== end - start) throw sourceChanged(source.path);
    return opened;
  };
  return {
    restart,
    [Symbol.asyncIterator]: () => {
      const body = restart();
      const chunks = body instanceof Uint8Array ? only(body) : bytesOf(body);
      return chunks[Symbol.asyncIterator]();
    },
  };
}

export function sourceChanged(path: string, cause?: unknown): StoreError {
  return new StoreError("source_changed", `${path} changed after it was hashed; push it again.`, {
    context: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Neither more nor fewer bytes than were hashed. */
async function* sized(
  source: AsyncIterable<Uint8Array>,
  expectedBytes: number,
  path: string,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > expectedBytes) throw sourceChanged(path);
    yield chunk;
  }
  if (sizeBytes < expectedBytes) throw sourceChanged(path);
}

function bytesOf(opened: AsyncIterable<Uint8Array> | Blob): AsyncIterable<Uint8Array> {
  return isBlob(opened) ? chunksOf(opened.stream()) : opened;
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}
