import { allocateSlab } from "#slab-memory";

/** What the data plane writes and hashes at a time: four times faster than 64 KiB on a disk. */
export const SLAB_BYTES = 1024 * 1024;

/** Slabs of one owner that are under way at a time, while it fills another. */
const UNDER_WAY = 3;
/** Of all owners together, those that are under way besides the first of each. */
const MOST_EXTRA = 64;
const MOST_IDLE = 16;

const idle: Uint8Array[] = [];
let extra = 0;

/**
 * The slabs of one owner, which fills one while others are being written and hashed. One of them is
 * always had without waiting for another owner, so that none can starve; more while all together
 * have not too many. A slab is in shared memory where there is such, for threads that hash.
 */
export class SlabFlight {
  /** In the order of their launch; those in front may have landed. */
  readonly #underWay: Promise<void>[] = [];
  #flying = 0;

  /** A slab of {@link SLAB_BYTES} to fill, with whatever it was used for before in it. */
  async take(): Promise<Uint8Array> {
    while (this.#flying >= (extra < MOST_EXTRA ? UNDER_WAY : 1)) await this.#underWay.shift();
    return idle.pop() ?? allocateSlab(SLAB_BYTES);
  }

  /**
   * Says what the slab that was taken is used for now. It may be taken again once that has ended
   * well; after a failure somebody may go on reading it in the background, so that it never is.
   */
  launch(slab: Uint8Array, use: Promise<unknown>): void {
    if (this.#flying++ > 0) extra++;
    const landed = use.then(
      () => void (idle.length < MOST_IDLE && idle.push(slab)),
      () => undefined,
    );
    this.#underWay.push(landed.finally(() => void (--this.#flying > 0 && extra--)));
  }
}

/** Up to one slab of bytes that grows as they come, so that a small object costs little. */
export class GrowingSlab {
  #bytes: Uint8Array;
  #sizeBytes = 0;

  /** `expectedBytes` is a hint. */
  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(Math.min(Math.max(expectedBytes, 0), SLAB_BYTES));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** A view of what was appended. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#sizeBytes);
  }

  /** Copies a chunk; the caller has made sure that it fits into a slab. */
  append(chunk: Uint8Array): void {
    const needed = this.#sizeBytes + chunk.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2), SLAB_BYTES));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#sizeBytes);
    this.#sizeBytes = needed;
  }
}
