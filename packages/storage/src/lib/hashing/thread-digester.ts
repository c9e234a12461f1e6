import { type DualDigest, StoreError } from "@store/identity";
import { copyIntoSlab } from "#slab-memory";
import { SLAB_BYTES, SlabFlight } from "../slabs.ts";
import type { Digester } from "./digester.ts";
import type { ThreadHasher } from "./hash-thread.ts";

/** Hands a thread what is to be hashed in pieces of a slab: what smaller ones cost is the way. */
export class ThreadDigester implements Digester {
  readonly #hasher: ThreadHasher;
  readonly #flight = new SlabFlight();
  #slab: Uint8Array | undefined;
  #filledBytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(hasher: ThreadHasher) {
    this.#hasher = hasher;
  }

  update(chunk: Uint8Array): Promise<void> {
    if (!(chunk instanceof Uint8Array)) return Promise.reject(notBytes(chunk));
    if (!(chunk.buffer instanceof SharedArrayBuffer)) return this.#copy(chunk);
    this.#handOver();
    return this.#hasher.update(chunk);
  }

  async digest(): Promise<DualDigest> {
    this.#handOver();
    return this.#hasher.digest();
  }

  abort(): void {
    this.#hasher.abort();
  }

  async #copy(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      this.#slab ??= await this.#flight.take();
      const part = chunk.subarray(offset, offset + SLAB_BYTES - this.#filledBytes);
      copyIntoSlab(this.#slab, part, this.#filledBytes);
      this.#filledBytes += part.length;
      offset += part.length;
      if (this.#filledBytes === SLAB_BYTES) this.#handOver();
    }
  }

  #handOver(): void {
    if (this.#slab === undefined) return;
    const hashed = this.#hasher.update(this.#slab.subarray(0, this.#filledBytes));
    hashed.catch((error: unknown) => (this.#failure ??= { error }));
    this.#flight.launch(this.#slab, hashed);
    this.#slab = undefined;
    this.#filledBytes = 0;
  }
}

function notBytes(chunk: unknown): StoreError {
  return new StoreError(
    "invalid_argument",
    `Only a Uint8Array can be hashed, not a ${typeof chunk}; encode text first.`,
  );
}
