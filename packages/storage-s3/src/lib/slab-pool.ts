import { MIB } from "./part-sizes.ts";

export const SLAB_BYTES = MIB;

/** Idle slabs above this are left to the garbage collector. */
const MOST_IDLE = 32;

/** Memory in pieces of 1 MiB that is used again and again, and a count of what is in use. */
export class SlabPool {
  readonly #limitSlabs: number;
  readonly #idle: Buffer[] = [];
  #used = 0;

  constructor(limitBytes: number) {
    this.#limitSlabs = Math.floor(limitBytes / SLAB_BYTES);
  }

  /** Whether uploads have as much as they may have together: each makes do with little then. */
  get isCrowded(): boolean {
    return this.#used >= this.#limitSlabs;
  }

  take(): Buffer {
    this.#used++;
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  give(slab: Buffer): void {
    this.#used--;
    if (this.#idle.length < MOST_IDLE) this.#idle.push(slab);
  }
}
