import type { DualDigest } from "@store/identity";
import { copyIntoSlab } from "#slab-memory";
import type { Staged } from "./contract.ts";
import type { Digester } from "./hashing/digester.ts";
import { SLAB_BYTES, SlabFlight } from "./slabs.ts";

/**
 * Gathers chunks of any size into slabs of 1 MiB, each of which is written and hashed while the
 * next are filled. A few are under way at a time, so that memory does not grow with the object,
 * and a slow backend or digester slows the source. What fails first is thrown by the next call.
 */
export class SlabWriter {
  readonly #staged: Staged;
  readonly #digester: Digester;
  readonly #flight = new SlabFlight();
  #slab: Uint8Array | undefined;
  #filledBytes = 0;
  #unhashed: { readonly slab: Uint8Array; readonly full: Uint8Array } | undefined;
  #written: Promise<void> = Promise.resolve();
  #hashed: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #settled = false;

  constructor(staged: Staged, digester: Digester) {
    this.#staged = staged;
    this.#digester = digester;
  }

  /** Copies a chunk; it may be reused afterwards. */
  async append(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      this.#assertSound();
      this.#slab ??= await this.#flight.take();
      const part = chunk.subarray(offset, offset + SLAB_BYTES - this.#filledBytes);
      copyIntoSlab(this.#slab, part, this.#filledBytes);
      this.#filledBytes += part.length;
      offset += part.length;
      if (this.#filledBytes === SLAB_BYTES) this.#dispatch();
    }
  }

  /**
   * Hashes the slab that is being written last. That may block this thread, so it is left to the
   * caller to ask the source for more before.
   */
  hash(): void {
    if (this.#unhashed === undefined) return;
    const { slab, full } = this.#unhashed;
    this.#unhashed = undefined;
    this.#hashed = this.#digester.update(full);
    this.#flight.launch(slab, Promise.all([this.#written, this.#hashed]));
    this.#hashed.catch(this.#fail);
  }

  /** Resolves when all that was appended has been written and hashed. */
  async flush(): Promise<void> {
    if (this.#filledBytes > 0) this.#dispatch();
    this.hash();
    await Promise.all([this.#written, this.#hashed]);
    this.#assertSound();
  }

  /** Writes what remains and returns the digests of all. */
  async finish(): Promise<DualDigest> {
    await this.flush();
    return this.#digester.digest();
  }

  /** Begins no write any more, and waits until none is under way, whatever came of it. */
  async settle(): Promise<void> {
    this.#settled = true;
    await this.#written.catch(() => undefined);
  }

  #dispatch(): void {
    this.hash();
    if (this.#slab === undefined) return;
    const full = this.#slab.subarray(0, this.#filledBytes);
    this.#written = this.#written.then(() =>
      this.#settled ? undefined : this.#staged.write(full),
    );
    // A failure is thrown by the next call; until then it is nobody's.
    this.#written.catch(this.#fail);
    this.#unhashed = { slab: this.#slab, full };
    this.#slab = undefined;
    this.#filledBytes = 0;
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  readonly #fail = (error: unknown): void => {
    this.#failure ??= { error };
  };
}
