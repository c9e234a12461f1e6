import { type DualDigest, type DualHasher, loadDualHashing } from "@store/identity";
import { findThreadHasher } from "#hash-threads";
import { ThreadDigester } from "./thread-digester.ts";

/**
 * Makes both digests of a sequence of bytes, away from the calling thread where that is worth
 * it. After `digest` or `abort` it is spent.
 */
export interface Digester {
  /**
   * Hashes a chunk, which may be reused once the promise has resolved. A chunk in shared memory is
   * hashed where it lies, and several such may be under way, in the order of the calls; another is
   * copied, and the next call waits for this one. Rejects with `storage_unavailable` if the thread
   * that hashes was lost, and with it all that it had hashed.
   */
  update(chunk: Uint8Array): Promise<void>;
  /** The digests of all that was given. */
  digest(): Promise<DualDigest>;
  /** Frees what is held. May be called at any time, and again. */
  abort(): void;
}

/**
 * A digester for `expectedBytes`, or for nobody knows how many. It is on another thread, where there are threads: a few are shared by all digesters, run
 * only while they are used, and never keep the process alive for longer than that takes. Elsewhere,
 * in a browser or in a bundle that lacks the thread's program, it hashes on the calling thread.
 */
export async function createDigester(expectedBytes = Infinity): Promise<Digester> {
  const hasher = await findThreadHasher(expectedBytes);
  if (hasher !== undefined) return new ThreadDigester(hasher);
  return new CallingThreadDigester((await loadDualHashing()).createHasher());
}

class CallingThreadDigester implements Digester {
  readonly #hasher: DualHasher;

  constructor(hasher: DualHasher) {
    this.#hasher = hasher;
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#hasher.update(chunk);
  }

  async digest(): Promise<DualDigest> {
    return this.#hasher.digest();
  }

  abort(): void {}
}
