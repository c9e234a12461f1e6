import { MIB } from "../staging/part-sizes.ts";

export const SLAB_BYTES = MIB;

/** Idle slabs above this are left to the garbage collector. */
const MOST_IDLE = 32;
/** So are all, once no slab was in use for so long: what reads back an upload needs memory too. */
const IDLE_MS = 250;

/** Memory in pieces of 1 MiB that is used again and again, and a count of what is in use. */
export class SlabPool {
  readonly #limitSlabs: number;
  readonly #idle: Buffer[] = [];
  #used = 0;
  #forgetting: NodeJS.Timeout | undefined;

  constructor(limitBytes: number) {
    this.#limitSlabs = Math.floor(limitBytes / SLAB_BYTES);
  }

  /** Whether uploads have as much as they may have together: each makes do with little then. */
  get isCrowded(): boolean {
    return this.#used >= this.#limitSlabs;
  }

  take(): Buffer {
    this.#used++;
    clearTimeout(this.#forgetting);
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  give(slab: Buffer): void {
    this.#used--;
    if (this.#idle.length < MOST_IDLE) this.#idle.push(slab);
    if (this.#used > 0) return;
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.#forget(), IDLE_MS).unref();
  }

  /** Frees what is idle at once: a garbage collector may see no need of it for long. */
  #forget(): void {
    for (const { buffer } of this.#idle.splice(0)) {
      if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    }
  }
}
