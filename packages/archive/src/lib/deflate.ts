import { StoreError } from "@store/identity";
import { Deflate, Z_DEFAULT_STRATEGY, Z_FULL_FLUSH, Z_NO_FLUSH } from "pako";
import type { ArchiveWork } from "./work.ts";

/**
 * What is compressed at a time: two stored blocks of the greatest size. Sources are cut into these
 * however they deliver, since the output of a compressor depends on the pieces of its input.
 */
const blockBytes = 2 * 65_535;
const storedLimitBytes = 65_535;

/** The end of a stream: a last block without content (RFC 1951 section 3.2.6). */
const endOfStream = Uint8Array.of(0x03, 0x00);

/**
 * DEFLATE (RFC 1951) whose bytes follow from the input alone: compressed by a pinned compressor in
 * JavaScript, as that of the platform changes with its version. Blocks that no compressor could
 * make smaller are stored, twenty times as fast: most artifacts are compressed already.
 *
 * One instance writes any number of streams, one after the other.
 */
export class Deflater {
  readonly #output: Uint8Array[] = [];
  readonly #compressor: Deflate;
  readonly #block = new Uint8Array(blockBytes);
  readonly #work: ArchiveWork;
  #heldBytes = 0;
  #isOpen = false;

  constructor(work: ArchiveWork) {
    this.#work = work;
    this.#compressor = new Deflate({
      raw: true,
      level: 1,
      windowBits: 15,
      memLevel: 8,
      strategy: Z_DEFAULT_STRATEGY,
      chunkSize: 32 * 1024,
    });
    this.#compressor.onData = (chunk) => this.#output.push(chunk);
  }

  /** The stream of `source`, from its first block to its end. */
  async *stream(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      let taken = 0;
      while (taken < chunk.length) {
        const part = chunk.subarray(taken, taken + blockBytes - this.#heldBytes);
        taken += part.length;
        if (part.length === blockBytes) {
          this.#deflate(part);
        } else {
          this.#block.set(part, this.#heldBytes);
          this.#heldBytes += part.length;
          if (this.#heldBytes < blockBytes) continue;
          this.#deflateHeld();
        }
        yield* this.#drain();
        await this.#work.breathe();
      }
    }
    if (this.#heldBytes > 0) this.#deflateHeld();
    this.#close();
    yield* this.#drain();
    yield endOfStream;
  }

  #deflateHeld(): void {
    this.#deflate(this.#block.subarray(0, this.#heldBytes));
    this.#heldBytes = 0;
  }

  #deflate(block: Uint8Array): void {
    if (isIncompressible(block)) {
      this.#close();
      this.#store(block);
    } else {
      this.#compress(block, Z_NO_FLUSH);
      this.#isOpen = true;
    }
  }

  #compress(bytes: Uint8Array, flush: typeof Z_NO_FLUSH | typeof Z_FULL_FLUSH): void {
    if (this.#compressor.push(bytes, flush)) return;
    throw new StoreError("internal", `The compressor failed: ${this.#compressor.msg}.`);
  }

  /**
   * Brings out all that the compressor holds, up to a whole byte, and makes it forget what it saw:
   * what follows refers to nothing before, so that it may be another stream or a stored block.
   */
  #close(): void {
    if (!this.#isOpen) return;
    this.#compress(new Uint8Array(0), Z_FULL_FLUSH);
    this.#isOpen = false;
  }

  /** RFC 1951 section 3.2.4. */
  #store(block: Uint8Array): void {
    const count = Math.ceil(block.length / storedLimitBytes);
    const stored = new Uint8Array(block.length + 5 * count);
    const view = new DataView(stored.buffer);
    let position = 0;
    for (let start = 0; start < block.length; start += storedLimitBytes) {
      const content = block.subarray(start, start + storedLimitBytes);
      view.setUint16(position + 1, content.length, true);
      view.setUint16(position + 3, ~content.length, true);
      stored.set(content, position + 5);
      position += 5 + content.length;
    }
    this.#output.push(stored);
  }

  *#drain(): Generator<Uint8Array, void, undefined> {
    yield* this.#output;
    this.#output.length = 0;
  }
}

/**
 * Whether all bytes are about as frequent as each other, as in what is compressed or encrypted: the
 * chance that two are equal is within a twentieth of 1/256. In whole numbers, which every machine
 * adds up alike. A block of a few kilobytes shows too little and is compressed.
 */
function isIncompressible(block: Uint8Array): boolean {
  const counts = new Uint32Array(256);
  // By index: iterating over bytes is several times slower.
  for (let index = 0; index < block.length; index += 1) counts[block[index]!]! += 1;
  let equalPairs = 0;
  for (const count of counts) equalPairs += count * count;
  return 20 * 256 * equalPairs <= 21 * block.length * block.length;
}
