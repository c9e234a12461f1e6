import { type ContentAddress, StoreError } from "@store/identity";
import type { ByteRange, ObjectInspector, ObjectReader, ObjectStat } from "./contract.ts";
import { isWhole, resolveRange, type ResolvedRange } from "./range.ts";
import { corruptSize, countedChunks, verifiedChunks } from "./verified-read.ts";

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
  /** The size that is recorded: an object of another size is `object_corrupt`. */
  readonly sizeBytes?: number;
  /** Told what the body fails with, before its reader is. It must not throw. */
  readonly onFailure?: (failure: unknown) => void;
}

/** Objects of up to this recorded size are read before they are served. */
const readFirstBytes = 64 * 1024;

/** An object on its way out. */
export interface ServedObject {
  /**
   * The bytes, to be read once. Nothing is opened before the first chunk is asked for, unless they
   * are here already, and leaving the loop early frees everything. Ends well only after every byte
   * that was asked for.
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
 * Opens an object, or a range of it, for reading. Throws `object_not_found`, `invalid_range`,
 * `restore_required` or, of another size than is recorded, `object_corrupt` before there is a
 * body; the body throws what the backend does, and `object_corrupt`. An object of up to 64 KiB whose
 * size is recorded is read and verified first: all that is wrong with it is thrown here, and a
 * backend is not asked for its size before its bytes.
 */
export async function serveObject(
  backend: ObjectReader & ObjectInspector,
  address: ContentAddress,
  options: ServeOptions = {},
): Promise<ServedObject> {
  const isVerified = options.verify !== false && isWhole(options.range);
  const recordedBytes = options.sizeBytes ?? Infinity;
  if (isVerified && recordedBytes <= readFirstBytes) {
    return serveRead(backend, address, recordedBytes, options.signal);
  }
  const stat = await backend.stat(address);
  const { sizeBytes } = readableStat(address, stat, options.sizeBytes);
  const range = resolveRange(options.range, sizeBytes);
  const chunks = backend.open(address, {
    ...(options.range === undefined ? {} : { range }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    // Of the three that are left alone, checking holds one back.
    ...(options.reuseChunks === true ? { reuseChunks: true } : {}),
  });
  const body = isVerified
    ? verifiedChunks(address, chunks, sizeBytes, options.onFailure)
    : countedChunks(address, chunks, range.end - range.start, options.onFailure);
  return { body, verified: isVerified ? "whole" : "none", sizeBytes, range };
}

async function serveRead(
  backend: ObjectReader,
  address: ContentAddress,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<ServedObject> {
  const opened = backend.open(address, signal === undefined ? {} : { signal });
  const chunks = await Array.fromAsync(verifiedChunks(address, opened, sizeBytes));
  return { body: each(chunks), verified: "whole", sizeBytes, range: { start: 0, end: sizeBytes } };
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/**
 * What a backend says of an object that can be read from it now; throws why it cannot.
 * `sizeBytes`: what is recorded, if it is.
 */
export function readableStat(
  address: ContentAddress,
  stat: ObjectStat | undefined,
  sizeBytes: number | undefined,
): ObjectStat {
  if (stat === undefined) throw objectNotFound(address);
  if (sizeBytes !== undefined && stat.sizeBytes !== sizeBytes) {
    throw corruptSize(address, sizeBytes, stat.sizeBytes, "");
  }
  const { tier, restore } = stat.retrieval ?? { tier: "hot" };
  if (tier === "archive" && restore !== "restored") {
    throw restoreRequired(address, restore === "requested");
  }
  return stat;
}

/** The refusal to read an object that lies in an archive, which may have been asked for it. */
export function restoreRequired(address: ContentAddress, isAskedFor: boolean): StoreError {
  const advice = isAskedFor
    ? "It was asked for; read it when it has come."
    : `Ask for it with "store objects restore ${address}", and read it when it has come.`;
  return new StoreError("restore_required", `The object ${address} lies in an archive. ${advice}`, {
    context: { reference: address },
  });
}

export function objectNotFound(address: ContentAddress): StoreError {
  return new StoreError("object_not_found", `The backend holds no object ${address}.`, {
    context: { reference: address },
  });
}
