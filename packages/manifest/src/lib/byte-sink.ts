import { StoreError } from "@store/identity";
import type { Pacer } from "./pacer.ts";

/** Most manifests are small: pages begin so, and double. */
const firstPageBytes = 2 * 1024;
const largestPageBytes = 256 * 1024;

/** Gathers pieces of output, of which the last step makes one array. */
export class ByteSink {
  readonly #limitBytes: number;
  readonly #full: Uint8Array[] = [];
  #page = new Uint8Array(firstPageBytes);
  #used = 0;
  #length = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** @throws {StoreError} `limit_exceeded` */
  push(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > this.#limitBytes) {
      throw new StoreError(
        "limit_exceeded",
        `The manifest has more than ${this.#limitBytes} bytes; split the package.`,
        { context: { limit: this.#limitBytes } },
      );
    }
    if (this.#used + bytes.length > this.#page.length) {
      this.#full.push(this.#page.subarray(0, this.#used));
      const next = Math.min(this.#page.length * 2, largestPageBytes);
      this.#page = new Uint8Array(Math.max(next, bytes.length));
      this.#used = 0;
    }
    this.#page.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Everything that was pushed, in one array of its own. */
  async bytes(pacer: Pacer): Promise<Uint8Array> {
    const all = new Uint8Array(this.#length);
    let offset = 0;
    for (const page of [...this.#full, this.#page.subarray(0, this.#used)]) {
      all.set(page, offset);
      offset += page.length;
      if (pacer.isDue()) await pacer.pause();
    }
    return all;
  }
}
