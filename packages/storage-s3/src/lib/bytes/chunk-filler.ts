import { MIB } from "../staging/part-sizes.ts";

const CHUNK_BYTES = MIB;
/** Three that the caller may still look at, and the one that is being filled. */
const REUSED_BUFFERS = 4;

/**
 * Makes chunks for a reader of what comes from a socket, some 64 KiB at a time. Where chunks may be
 * filled again they are 1 MiB each, so that whoever passes them on has less to do; else they are
 * what came, which is memory of its own already.
 */
export class ChunkFiller {
  readonly #reuses: boolean;
  readonly #buffers: Buffer[];
  #chunk: Buffer | undefined;
  #filledBytes = 0;

  /** `buffers` are those that take turns, where one reader reads several bodies in a row. */
  constructor(reuses: boolean, buffers: Buffer[] = []) {
    this.#reuses = reuses;
    this.#buffers = buffers;
  }

  /** The chunks that are full with `piece`; `leftBytes` are still to come, those of it included. */
  *add(piece: Uint8Array, leftBytes: number): Generator<Uint8Array, void, undefined> {
    if (!this.#reuses || (this.#chunk === undefined && piece.length === leftBytes)) {
      yield* pieces(piece);
      return;
    }
    const { length } = piece;
    for (let offset = 0; offset < length;) {
      this.#chunk ??= this.#next();
      const part = piece.subarray(offset, offset + CHUNK_BYTES - this.#filledBytes);
      this.#chunk.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      offset += part.length;
      // From here on it has no length any more.
      if (offset === length) freed(piece);
      if (this.#filledBytes === CHUNK_BYTES) yield this.#take();
    }
  }

  /** What is left of the last chunk. */
  flush(): Uint8Array | undefined {
    return this.#filledBytes === 0 ? undefined : this.#take();
  }

  #take(): Uint8Array {
    const chunk = this.#chunk?.subarray(0, this.#filledBytes) ?? new Uint8Array(0);
    this.#chunk = undefined;
    this.#filledBytes = 0;
    return chunk;
  }

  /** Of some that take turns, the one that the caller has done with; or a new one. */
  #next(): Buffer {
    const used = this.#buffers.length === REUSED_BUFFERS ? this.#buffers.shift() : undefined;
    const buffer = used ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#buffers.push(buffer);
    return buffer;
  }
}

/**
 * Gives the memory of what came from a socket back at once, if nothing else is in it: else some
 * hundred megabytes of it may wait for the garbage collector.
 */
function freed({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
    yield bytes.subarray(offset, offset + CHUNK_BYTES);
  }
}
