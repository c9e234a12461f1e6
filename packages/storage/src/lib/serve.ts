import { type ContentAddress, StoreError } from "@store/identity";
import type { ByteRange, ObjectInspector, ObjectReader } from "./contract.ts";
import { isWhole, resolveRange, type ResolvedRange } from "./range.ts";
import { countedChunks, verifiedChunks } from "./verified-read.ts";

export interface ServeOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
  /** Whether a whole read is checked while it streams. Default: true. */
  readonly verify?: boolean;
  /**
   * Lets a chunk be filled again once the second after it is asked for. Default: false, a chunk is
   * the caller's to keep.
   */
  readonly reuseChunks?: boolean;
}

/** An object on its way out. */
export interface ServedObject {
  /**
   * The bytes, to be read once. Nothing is opened before the first chunk is asked for, and leaving
   * the loop early frees everything. Ends well only after every byte that was asked for.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /**
   * `whole`: `body` ends with `object_corrupt`, before its last chunk, unless all of it has the
   * address's digest. `none`: only its length is checked, since a digest says nothing of a part.
   */
  readonly verified: "whole" | "none";
  /** The whole object's size. */
  readonly sizeBytes: number;
  /** What `body` delivers of it. */
  readonly range: ResolvedRange;
}

/**
 * Opens an object, or a range of it, for reading. Throws `object_not_found` or `invalid_range`
 * before there is a body; the body throws what the backend does, and `object_corrupt`.
 */
export async function serveObject(
  backend: ObjectReader & ObjectInspector,
  address: ContentAddress,
  options: ServeOptions = {},
): Promise<ServedObject> {
  const stat = await backend.stat(address);
  if (stat === undefined) throw objectNotFound(address);
  const { sizeBytes } = stat;
  const range = resolveRange(options.range, sizeBytes);
  const chunks = backend.open(address, {
    ...(options.range === undefined ? {} : { range }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    // Of the three that are left alone, checking holds one back.
    ...(options.reuseChunks === true ? { reuseChunks: true } : {}),
  });
  const verify = options.verify !== false && isWhole(options.range);
  const body = verify
    ? verifiedChunks(address, chunks, sizeBytes)
    : countedChunks(address, chunks, range.end - range.start);
  return { body, verified: verify ? "whole" : "none", sizeBytes, range };
}

export function objectNotFound(address: ContentAddress): StoreError {
  return new StoreError("object_not_found", `The backend holds no object ${address}.`, {
    context: { reference: address },
  });
}
