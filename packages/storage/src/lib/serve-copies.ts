import { type ContentAddress, createHasher, digestOf } from "@store/identity";
import { Candidates, type CopyObserver, type StoredCopy } from "./copy-candidates.ts";
import { remaining } from "./joined-read.ts";
import { isWhole, resolveRange, type ResolvedRange } from "./range.ts";
import type { ServedObject, ServeOptions } from "./serve.ts";
import { assertIntact, corruptDigest, corruptSize } from "./verified-read.ts";

export interface ServeCopiesOptions extends Pick<ServeOptions, "range" | "signal" | "reuseChunks"> {
  /** The size that is recorded of the object. */
  readonly sizeBytes: number;
  /** Told what is found out about each copy on the way. */
  readonly observer?: CopyObserver;
}

/** Objects up to this size are verified before the first of their bytes is delivered. */
const heldBackBytes = 1024 * 1024;

/**
 * Opens an object that several places are said to hold, or a range of it, from the first of them
 * that can be read. One that fails is left for the next, which goes on from the next byte.
 *
 * A whole read is right, or it fails: an object of up to 1 MiB is verified before any of it is
 * delivered, so that a corrupt copy is left too; of a larger one the joined bytes are hashed, and
 * the last chunk is held back until they are right. Of a range only the length is checked.
 *
 * Throws `invalid_range`, and where no copy can be read the failure that says most: that it may be
 * readable later (`storage_unavailable`, `permission_denied`), `restore_required`, `object_corrupt`
 * or `object_not_found`; the body throws the same where every copy has failed on the way, and
 * `object_corrupt`.
 */
export async function serveCopies(
  address: ContentAddress,
  copies: readonly StoredCopy[],
  options: ServeCopiesOptions,
): Promise<ServedObject> {
  const { sizeBytes } = options;
  const range = resolveRange(options.range, sizeBytes);
  const candidates = new Candidates(address, copies, sizeBytes, options.observer ?? {});
  const reading = { address, options, candidates, first: await candidates.next(), range };
  const verified = isWhole(options.range) ? "whole" : "none";
  if (verified === "none") return { body: joined(reading), verified, sizeBytes, range };
  const body = sizeBytes <= heldBackBytes ? heldBack(reading) : verifiedJoined(reading);
  return { body, verified, sizeBytes, range };
}

/** One read of several copies. */
interface Reading {
  readonly address: ContentAddress;
  readonly options: ServeCopiesOptions;
  readonly candidates: Candidates;
  readonly first: StoredCopy;
  readonly range: ResolvedRange;
  /** Told of the copies that gave bytes, each once, in their order. */
  readonly onPart?: (copy: StoredCopy) => void;
}

/** Reads copies whole, one after another, until one is right. */
async function* heldBack(reading: Reading): AsyncGenerator<Uint8Array> {
  const { address, candidates, options } = reading;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  for (let copy = reading.first; ; copy = await candidates.next()) {
    const chunks: Uint8Array[] = [];
    try {
      const hasher = await createHasher(digestOf(address).algorithm);
      let sizeBytes = 0;
      for await (const chunk of copy.reader.open(address, signal)) {
        sizeBytes += chunk.length;
        if (sizeBytes > options.sizeBytes) break;
        hasher.update(chunk);
        chunks.push(chunk);
      }
      if (sizeBytes !== options.sizeBytes) {
        throw corruptSize(address, options.sizeBytes, sizeBytes, "");
      }
      assertIntact(address, hasher.digest());
    } catch (failure) {
      candidates.failed(copy, failure);
      continue;
    }
    candidates.whole(copy);
    yield* chunks;
    return;
  }
}

/** Passes on what was joined, and its last chunk once all of it was found right. */
async function* verifiedJoined(reading: Reading): AsyncGenerator<Uint8Array> {
  const { address, candidates } = reading;
  const hasher = await createHasher(digestOf(address).algorithm);
  const parts: StoredCopy[] = [];
  let held: Uint8Array | undefined;
  for await (const chunk of joined({ ...reading, onPart: (copy) => parts.push(copy) })) {
    hasher.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  // Of bytes that several copies gave, nobody can say which of them are wrong.
  const [only] = parts.length === 1 ? parts : [];
  const actual = hasher.digest();
  if (!digestOf(address).equals(actual)) {
    const failure = corruptDigest(address, address, String(actual));
    if (only !== undefined) candidates.failed(only, failure);
    throw failure;
  }
  if (only !== undefined) candidates.whole(only);
  if (held !== undefined) yield held;
}

/** Joins the bytes of copies: where one breaks off, the next goes on. */
async function* joined(reading: Reading): AsyncGenerator<Uint8Array> {
  const { address, candidates, options, range } = reading;
  const wanted = range.end - range.start;
  let received = 0;
  for (let copy = reading.first; ; copy = await candidates.next()) {
    let isPart = false;
    try {
      for await (const chunk of copy.reader.open(address, readOptions(options, received))) {
        if (received + chunk.length > wanted) {
          throw corruptSize(address, wanted, received + chunk.length, "at least ");
        }
        received += chunk.length;
        if (!isPart) reading.onPart?.(copy);
        isPart = true;
        yield chunk;
      }
      if (received === wanted) return candidates.read(copy);
      throw corruptSize(address, wanted, received, "for what was asked ");
    } catch (failure) {
      candidates.failed(copy, failure);
      // It failed after the last byte: whether that is right is for others to say.
      if (isPart && received === wanted) return;
    }
  }
}

function readOptions(options: ServeCopiesOptions, received: number) {
  const { range, signal, reuseChunks } = options;
  const reading = {
    ...(range === undefined ? {} : { range }),
    ...(signal === undefined ? {} : { signal }),
    // Of the three that are left alone, checking holds one back.
    ...(reuseChunks === true ? { reuseChunks } : {}),
  };
  return remaining(reading, received);
}
