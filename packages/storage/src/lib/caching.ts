import { type ContentAddress, isStoreError, StoreError } from "@store/identity";
import { CacheContents } from "./cache-contents.ts";
import type { ObjectReader, ReadOptions, StorageBackend } from "./contract.ts";
import { ForwardingBackend } from "./forwarding.ts";
import { joinedRead } from "./joined-read.ts";
import { isWhole } from "./range.ts";

export interface CacheOptions {
  /** A nearer place for this alone, that no other process uses. It is closed with the origin. */
  readonly cache: StorageBackend;
  /** How much is kept there, besides what is being read into it. The least recently used goes. */
  readonly limitBytes: number;
}

/**
 * A backend that keeps what was read whole in a nearer place. Reads of what is kept come from
 * there, ranges too; everything else goes to the origin. Only what has its address's digest is
 * kept, and what turns out corrupt in the cache is dropped and read from the origin. A cache that
 * fails slows reads down and fails none.
 *
 * An object never changes, so that a copy is never stale; but one that somebody else removed from
 * the origin can be read from here until it is dropped. `stat` and `enumerate` ask the origin.
 */
export function withCache(origin: StorageBackend, options: CacheOptions): StorageBackend {
  const { cache, limitBytes } = options;
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) {
    throw new StoreError(
      "invalid_argument",
      `A cache of ${limitBytes} bytes cannot be kept; give a whole number of bytes.`,
      { context: { actual: limitBytes } },
    );
  }
  return new CachingBackend(origin, cache, new CacheContents(cache, limitBytes));
}

class CachingBackend extends ForwardingBackend {
  readonly #cache: StorageBackend;
  readonly #contents: CacheContents;
  #closed = false;

  constructor(origin: StorageBackend, cache: StorageBackend, contents: CacheContents) {
    super(origin);
    this.#cache = cache;
    this.#contents = contents;
  }

  override async *open(
    address: ContentAddress,
    options: ReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    if (!this.#closed && (await this.#contents.has(address))) {
      yield* this.#readNear(address, options);
    } else if (!this.#closed && isWhole(options.range)) {
      yield* this.#readAndKeep(address, options);
    } else {
      yield* this.inner.open(address, options);
    }
  }

  override async remove(address: ContentAddress): Promise<void> {
    await this.inner.remove(address);
    await this.#contents.drop(address);
  }

  override async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.inner.close(), this.#cache.close()]);
  }

  async *#readNear(address: ContentAddress, options: ReadOptions): AsyncGenerator<Uint8Array> {
    let near = true;
    const toOrigin = async (failure: unknown): Promise<ObjectReader> => {
      if (!near || isStoreError(failure, "aborted")) throw failure;
      near = false;
      await this.#contents.drop(address);
      return this.inner;
    };
    try {
      yield* joinedRead(address, options, this.#cache, toOrigin);
    } catch (error) {
      if (isStoreError(error, "object_corrupt")) await this.#contents.drop(address);
      throw error;
    }
  }

  async *#readAndKeep(address: ContentAddress, options: ReadOptions): AsyncGenerator<Uint8Array> {
    const fill = await this.#contents.fill(address);
    let complete = false;
    try {
      for await (const chunk of this.inner.open(address, { ...options, reuseChunks: false })) {
        await fill?.add(chunk);
        yield chunk;
      }
      complete = true;
    } finally {
      if (fill !== undefined) await this.#contents.end(fill, complete);
    }
  }
}
