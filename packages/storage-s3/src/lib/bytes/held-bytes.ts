import { Readable } from "node:stream";
import { type BodySum, RunningSum, sha256Of, sha256Sum, type SumKind } from "./body-sum.ts";
import { SLAB_BYTES, type SlabPool } from "./slab-pool.ts";

/** The bytes of one part or of one small object, on their way to the store. */
export interface PartBytes {
  readonly sizeBytes: number;
  /** Copies the chunk. */
  append(chunk: Uint8Array): Promise<void>;
  /** The bytes from the first, for one attempt to send them. */
  body(): Uint8Array | Readable;
  /** What protects them. */
  sum(flexible: boolean): BodySum;
  /** Frees what holds them, once nobody sends them any more. */
  release(): Promise<void>;
}

/** Bytes in memory: less than 1 MiB in a buffer of its own, more in slabs of a pool. */
export class HeldBytes implements PartBytes {
  readonly #pool: SlabPool;
  /** A CRC is made while the processor has the bytes at hand; SHA-256 only if it is asked for. */
  readonly #crc: RunningSum | undefined;
  #digest: Buffer | undefined;
  #slabs: Buffer[] = [];
  #last: Buffer = Buffer.alloc(0);
  #lastBytes = 0;

  constructor(pool: SlabPool, kind: SumKind) {
    this.#pool = pool;
    this.#crc = kind === "crc32" ? new RunningSum(kind) : undefined;
  }

  get sizeBytes(): number {
    return this.#slabs.length * SLAB_BYTES + this.#lastBytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      const part = chunk.subarray(offset, offset + SLAB_BYTES - this.#lastBytes);
      this.#makeRoom(part.length);
      this.#last.set(part, this.#lastBytes);
      // Of the copy: a chunk may be of shared memory, which zlib does not take.
      this.#crc?.update(this.#last.subarray(this.#lastBytes, this.#lastBytes + part.length));
      this.#lastBytes += part.length;
      offset += part.length;
      if (this.#lastBytes === SLAB_BYTES) this.#closeSlab();
    }
  }

  /** Views of the bytes, in order. */
  get chunks(): readonly Uint8Array[] {
    if (this.#lastBytes === 0) return this.#slabs;
    return [...this.#slabs, this.#last.subarray(0, this.#lastBytes)];
  }

  body(): Uint8Array | Readable {
    const { chunks } = this;
    const [only = this.#last.subarray(0, 0)] = chunks;
    return chunks.length < 2 ? only : Readable.from(chunks, { objectMode: false });
  }

  sum(flexible: boolean): BodySum {
    if (this.#crc !== undefined) return this.#crc.sum(flexible);
    return sha256Sum((this.#digest ??= sha256Of(this.chunks)), flexible);
  }

  async release(): Promise<void> {
    const slabs = this.#slabs;
    if (this.#last.length === SLAB_BYTES) slabs.push(this.#last);
    this.#slabs = [];
    this.#last = Buffer.alloc(0);
    this.#lastBytes = 0;
    for (const slab of slabs) this.#pool.give(slab);
  }

  /** Lets the last buffer grow with what comes, so that a small object costs little. */
  #makeRoom(more: number): void {
    const needed = this.#lastBytes + more;
    if (needed <= this.#last.length) return;
    const wanted = this.#lastBytes === 0 ? needed : Math.max(needed, this.#last.length * 2);
    const grown = wanted > SLAB_BYTES / 2 ? this.#pool.take() : Buffer.allocUnsafe(wanted);
    grown.set(this.#last.subarray(0, this.#lastBytes));
    this.#last = grown;
  }

  #closeSlab(): void {
    this.#slabs.push(this.#last);
    this.#last = Buffer.alloc(0);
    this.#lastBytes = 0;
  }
}
