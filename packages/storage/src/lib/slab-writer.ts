import type { DualDigest, DualHasher } from "@store/identity";
import type { Staged } from "./contract.ts";
import { giveSlab, SLAB_BYTES, takeSlab } from "./slabs.ts";

/**
 * Gathers chunks of any size into slabs, and hashes each slab here while the backend writes it
 * and the source reads the next chunk. Two slabs are held: one is being filled, the other is on
 * its way. So memory does not grow with the object, and a slow backend slows the source.
 */
export class SlabWriter {
  readonly #staged: Staged;
  readonly #hasher: DualHasher;
  #filling = takeSlab();
  #filledBytes = 0;
  #leaving = takeSlab();
  #unhashed: Uint8Array | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(staged: Staged, hasher: DualHasher) {
    this.#staged = staged;
    this.#hasher = hasher;
  }

  /** Copies a chunk; it may be reused afterwards. */
  async append(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      const size = Math.min(chunk.length - offset, SLAB_BYTES - this.#filledBytes);
      this.#filling.set(chunk.subarray(offset, offset + size), this.#filledBytes);
      this.#filledBytes += size;
      offset += size;
      if (this.#filledBytes === SLAB_BYTES) await this.#dispatch();
    }
  }

  /**
   * Hashes the slab that was dispatched last. Hashing blocks this thread, so it is left to the
   * caller to ask the source for more before.
   */
  hash(): void {
    if (this.#unhashed === undefined) return;
    this.#hasher.update(this.#unhashed);
    this.#unhashed = undefined;
  }

  /** Writes what remains and returns the digests of all. */
  async finish(): Promise<DualDigest> {
    if (this.#filledBytes > 0) await this.#dispatch();
    this.hash();
    await this.#writing;
    // Only here: after a failure a write may go on in the background, from its slab.
    giveSlab(this.#filling);
    giveSlab(this.#leaving);
    return this.#hasher.digest();
  }

  /** Waits until no write is under way, whatever came of it. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #dispatch(): Promise<void> {
    this.hash();
    await this.#writing;
    const full = this.#filling.subarray(0, this.#filledBytes);
    this.#writing = this.#staged.write(full);
    // A failure is thrown where the write is awaited; until then it is nobody's.
    this.#writing.catch(() => undefined);
    this.#unhashed = full;
    [this.#filling, this.#leaving] = [this.#leaving, this.#filling];
    this.#filledBytes = 0;
  }
}
