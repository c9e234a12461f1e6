import { Flight } from "./flight.ts";
import type { PartBytes } from "../bytes/held-bytes.ts";
import { isSpooled, leastPartBytesAt, parallelAt, partBytesAt } from "./part-sizes.ts";
import type { Place } from "../place.ts";

/** Where the parts go. */
export interface PartTarget {
  /** Sends a part, which begins at `offset` and is the `index`th, from 0. */
  send(index: number, offset: number, bytes: PartBytes): Promise<void>;
}

/** Where a writer begins: how many parts there are before, and how many bytes. */
export interface PartStart {
  readonly index: number;
  readonly offset: number;
  readonly firstBytes: number;
}

/**
 * Cuts a stream into parts and sends some at a time while the next is filled. Memory stays bounded:
 * `write` waits until a part has arrived where too many are under way.
 */
export class PartWriter {
  readonly #place: Place;
  readonly #target: PartTarget;
  readonly #flight = new Flight();
  readonly #firstBytes: number;
  #index: number;
  #offset: number;
  #part: PartBytes | undefined;

  constructor(place: Place, target: PartTarget, { index, offset, firstBytes }: PartStart) {
    this.#place = place;
    this.#target = target;
    this.#index = index;
    this.#offset = offset;
    this.#firstBytes = firstBytes;
  }

  /** Bytes of the part that is being filled. */
  get pendingBytes(): number {
    return this.#part?.sizeBytes ?? 0;
  }

  /** All bytes, those before the start included. */
  get sizeBytes(): number {
    return this.#offset + this.pendingBytes;
  }

  /** The least that the part being filled must have, unless it is the last. */
  get leastBytes(): number {
    return leastPartBytesAt(this.#index, this.#firstBytes);
  }

  /** Copies the chunk. Throws what a part failed with. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#flight.assertSound();
    for (let offset = 0; offset < chunk.length;) {
      const partBytes = partBytesAt(this.#index, this.#firstBytes);
      const part = (this.#part ??= await this.#begin(partBytes));
      const piece = chunk.subarray(offset, offset + Math.max(partBytes - part.sizeBytes, 0));
      await part.append(piece);
      offset += piece.length;
      if (part.sizeBytes >= partBytes) this.#launch();
    }
  }

  /**
   * Takes the last `parts` parts of those before the start into the part that is being filled: it
   * then begins where they began. Changes nothing if the bytes cannot be had.
   */
  async prepend(bytes: AsyncIterable<Uint8Array>, sizeBytes: number, parts: number): Promise<void> {
    const joined = await this.#begin(partBytesAt(this.#index - parts, this.#firstBytes));
    const pending = this.#part;
    try {
      for await (const chunk of bytes) await joined.append(chunk);
      if (pending !== undefined) {
        for await (const chunk of chunksOf(pending)) await joined.append(chunk);
      }
    } catch (error) {
      await joined.release();
      throw error;
    }
    await pending?.release();
    this.#part = joined;
    this.#index -= parts;
    this.#offset -= sizeBytes;
  }

  /** Sends the part that is being filled, if it has enough for one that is not the last. */
  flush(): void {
    if (this.pendingBytes >= this.leastBytes) this.#launch();
  }

  /** Sends what is left, and waits until all has arrived. May be called again after a failure. */
  async finish(): Promise<void> {
    await this.#flight.landed();
    const part = this.#part;
    if (part === undefined) return;
    if (part.sizeBytes > 0) {
      await this.#target.send(this.#index++, this.#offset, part).catch((error: unknown) => {
        this.#index--;
        throw error;
      });
    }
    this.#offset += part.sizeBytes;
    this.#part = undefined;
    await part.release();
  }

  /** Waits until all that was sent has arrived; throws what failed. */
  async landed(): Promise<void> {
    await this.#flight.landed();
  }

  /** Sends nothing any more, waits for what is under way, and frees what is held. */
  async end(): Promise<void> {
    await this.#flight.settle();
    const part = this.#part;
    this.#part = undefined;
    await part?.release();
  }

  async #begin(partBytes: number): Promise<PartBytes> {
    const { pool, settings } = this.#place;
    const isShort = pool.isCrowded && !isSpooled(partBytes);
    await this.#flight.room(isShort ? 1 : parallelAt(partBytes, settings.parallelParts));
    return this.#place.newPart(partBytes);
  }

  #launch(): void {
    const part = this.#part;
    if (part === undefined) return;
    const index = this.#index++;
    const offset = this.#offset;
    this.#offset += part.sizeBytes;
    this.#part = undefined;
    this.#flight.launch(async () => {
      try {
        await this.#target.send(index, offset, part);
      } finally {
        await part.release();
      }
    });
  }
}

/** The bytes of a part, in order. */
async function* chunksOf(part: PartBytes): AsyncGenerator<Uint8Array> {
  const body = part.body();
  if (body instanceof Uint8Array) yield body;
  else yield* body as AsyncIterable<Uint8Array>;
}
