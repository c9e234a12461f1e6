import { constants } from "node:fs";
import { type ContentAddress, StoreError } from "@store/identity";
import { type ReadOptions, resolveRange, type StagedReadOptions } from "@store/storage";
import { errnoOf, storageFailure } from "./failure.ts";
import { type Key, objectKey, stagedKey } from "./layout.ts";
import { aborted } from "./open-files.ts";
import type { Place } from "./place.ts";
import { assertRootIsThere } from "./root.ts";

const CHUNK_BYTES = 1024 * 1024;
/** Above so many files that are read at once, the next are read in smaller chunks. */
const MANY_FILES = 32;
/** A caller that stops reading keeps its buffers: a thousand of them should not keep gigabytes. */
const CROWDED_CHUNK_BYTES = 64 * 1024;
/** Three that the caller may still look at, and the one that is being filled. */
const REUSED_BUFFERS = 4;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

/** What is read, and how to name it. */
interface Target {
  readonly key: Key;
  readonly what: string;
  /** The address or id. */
  readonly reference: string;
  readonly notFound: (cause?: unknown) => StoreError;
  readonly reuseChunks: boolean;
}

/** Streams an object, or a range of it. */
export async function* readObject(
  place: Place,
  address: ContentAddress,
  { range, signal, reuseChunks = false }: ReadOptions,
  assertOpen: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const target: Target = {
    key: objectKey(address).key,
    what: `object ${address}`,
    reference: address,
    notFound: () => objectNotFound(address),
    reuseChunks,
  };
  const within = (sizeBytes: number) => resolveRange(range, sizeBytes);
  yield* readFile(place, target, within, signal, assertOpen);
}

/** Streams the first `end` bytes of staged bytes that are in a file. */
export async function* readStaged(
  place: Place,
  staged: { readonly id: string; readonly end: number; readonly notFound: Target["notFound"] },
  { signal, reuseChunks = false }: StagedReadOptions,
  assertOpen: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { id, end, notFound } = staged;
  const what = `staged bytes ${id}`;
  const target = { key: stagedKey(id), what, reference: id, notFound, reuseChunks };
  yield* readFile(place, target, () => ({ start: 0, end }), signal, assertOpen);
}

/**
 * Streams a part of a file. The next chunk is read while the caller works on one. The file is
 * closed as soon as the last byte has been read, before that is delivered.
 */
async function* readFile(
  place: Place,
  target: Target,
  part: (sizeBytes: number) => { readonly start: number; readonly end: number },
  signal: AbortSignal | undefined,
  assertOpen: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = await openSource(place, target, signal);
  try {
    const { start, end } = part(await source.sizeBytes());
    if (start === end) return;
    let position = start;
    let next = source.read(position, end);
    while (position < end) {
      const chunk = await next;
      position += chunk.length;
      if (position < end) next = source.read(position, end);
      else await source.close();
      yield chunk;
      assertOpen();
      if (signal?.aborted) throw aborted(signal.reason);
    }
  } catch (error) {
    throw storageFailure(error, `read the ${target.what}`, target.reference);
  } finally {
    await source.close();
  }
}

async function openSource(
  place: Place,
  target: Target,
  signal: AbortSignal | undefined,
): Promise<Source> {
  if (signal?.aborted) throw aborted(signal.reason);
  try {
    const path = place.path(target.key);
    const descriptor = await place.readFiles.open(path, FLAGS, undefined, signal);
    const isCrowded = place.readFiles.count > MANY_FILES;
    return new Source(place, target, descriptor, isCrowded ? CROWDED_CHUNK_BYTES : CHUNK_BYTES);
  } catch (error) {
    // ELOOP: a symbolic link is nothing of ours, wherever it leads.
    if (["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) {
      await assertRootIsThere(place);
      throw target.notFound(error);
    }
    throw storageFailure(error, `read the ${target.what}`, target.reference);
  }
}

class Source {
  readonly #place: Place;
  readonly #target: Target;
  readonly #descriptor: number;
  readonly #chunkBytes: number;
  readonly #buffers: Uint8Array[] = [];
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(place: Place, target: Target, descriptor: number, chunkBytes: number) {
    this.#place = place;
    this.#target = target;
    this.#descriptor = descriptor;
    this.#chunkBytes = chunkBytes;
  }

  async sizeBytes(): Promise<number> {
    const { isFile, sizeBytes } = await this.#place.fileSystem.fstat(this.#descriptor);
    if (!isFile) throw this.#target.notFound();
    return sizeBytes;
  }

  read(start: number, end: number): Promise<Uint8Array> {
    const chunk = this.#buffer(Math.min(end - start, this.#chunkBytes));
    const reading = this.#fill(chunk, start);
    // The caller may leave without asking for this chunk.
    this.#reading = reading.catch(() => {});
    return reading;
  }

  /** Waits for a read that is under way: the system may give its descriptor to another file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reading;
    await this.#place.readFiles.close(this.#descriptor);
  }

  /** Of some that take turns, the one that the caller has done with; or a new one. */
  #buffer(sizeBytes: number): Uint8Array {
    if (!this.#target.reuseChunks) return Buffer.allocUnsafeSlow(sizeBytes);
    const used = this.#buffers.length === REUSED_BUFFERS ? this.#buffers.shift() : undefined;
    const buffer = used ?? Buffer.allocUnsafeSlow(this.#chunkBytes);
    this.#buffers.push(buffer);
    return buffer.subarray(0, sizeBytes);
  }

  async #fill(chunk: Uint8Array, start: number): Promise<Uint8Array> {
    let filled = 0;
    while (filled < chunk.length) {
      const rest = filled === 0 ? chunk : chunk.subarray(filled);
      const count = await this.#place.fileSystem.read(this.#descriptor, rest, start + filled);
      if (count === 0) throw endsEarly(this.#target, start + filled);
      filled += count;
    }
    return chunk;
  }
}

function endsEarly({ what, reference }: Target, sizeBytes: number): StoreError {
  return new StoreError(
    "object_corrupt",
    `The ${what} ends at byte ${sizeBytes}, before its size: its file was cut while ` +
      "it was read. Verify the object, remove it and write it again.",
    { context: { reference, actual: sizeBytes } },
  );
}

function objectNotFound(address: ContentAddress): StoreError {
  return new StoreError(
    "object_not_found",
    `The storage root holds no object ${address}. Write it, or look in another backend.`,
    { context: { reference: address } },
  );
}
