import { constants } from "node:fs";
import { type ContentAddress, StoreError } from "@store/identity";
import { type ReadOptions, resolveRange } from "@store/storage";
import { errnoOf, storageFailure } from "./failure.ts";
import { objectKey } from "./layout.ts";
import { aborted } from "./open-files.ts";
import type { Place } from "./place.ts";

const CHUNK_BYTES = 1024 * 1024;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Streams an object, or a range of it. The next chunk is read while the caller works on one. The
 * file is closed as soon as the last byte has been read, before that is delivered.
 */
export async function* readObject(
  place: Place,
  address: ContentAddress,
  options: ReadOptions,
  assertOpen: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { range, signal } = options;
  const source = await openSource(place, address, signal);
  try {
    const { start, end } = resolveRange(range, await source.sizeBytes());
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
    throw storageFailure(error, `read the object ${address}`, address);
  } finally {
    await source.close();
  }
}

async function openSource(
  place: Place,
  address: ContentAddress,
  signal: AbortSignal | undefined,
): Promise<Source> {
  const { key } = objectKey(address);
  if (signal?.aborted) throw aborted(signal.reason);
  try {
    const descriptor = await place.readFiles.open(place.path(key), FLAGS, undefined, signal);
    return new Source(place, address, descriptor);
  } catch (error) {
    // ELOOP: a symbolic link is no object of ours, wherever it leads.
    if (["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) throw objectNotFound(address);
    throw storageFailure(error, `read the object ${address}`, address);
  }
}

class Source {
  readonly #place: Place;
  readonly #address: ContentAddress;
  readonly #descriptor: number;
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(place: Place, address: ContentAddress, descriptor: number) {
    this.#place = place;
    this.#address = address;
    this.#descriptor = descriptor;
  }

  async sizeBytes(): Promise<number> {
    const { isFile, sizeBytes } = await this.#place.fileSystem.fstat(this.#descriptor);
    if (!isFile) throw objectNotFound(this.#address);
    return sizeBytes;
  }

  read(start: number, end: number): Promise<Uint8Array> {
    const chunk = Buffer.allocUnsafeSlow(Math.min(end - start, CHUNK_BYTES));
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

  async #fill(chunk: Uint8Array, start: number): Promise<Uint8Array> {
    let filled = 0;
    while (filled < chunk.length) {
      const rest = filled === 0 ? chunk : chunk.subarray(filled);
      const count = await this.#place.fileSystem.read(this.#descriptor, rest, start + filled);
      if (count === 0) throw endsEarly(this.#address, start + filled);
      filled += count;
    }
    return chunk;
  }
}

function endsEarly(address: ContentAddress, sizeBytes: number): StoreError {
  return new StoreError(
    "object_corrupt",
    `The object ${address} ends at byte ${sizeBytes}, before its size: its file was cut while ` +
      "it was read. Verify the object, remove it and write it again.",
    { context: { reference: address, actual: sizeBytes } },
  );
}

function objectNotFound(address: ContentAddress): StoreError {
  return new StoreError(
    "object_not_found",
    `The storage root holds no object ${address}. Write it, or look in another backend.`,
    { context: { reference: address } },
  );
}
