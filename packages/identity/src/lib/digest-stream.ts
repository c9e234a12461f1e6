import { StoreError } from "./error.ts";
import { loadDualHashing } from "./hashing.ts";
import type { DualDigest } from "./hashing.ts";

/** How {@link digestStream} reads. */
export interface DigestStreamOptions {
  /** Ends the reading, also while a chunk is awaited. */
  readonly signal?: AbortSignal;
}

/**
 * Both digests and the size of a stream, in one pass. Chunks are hashed whole, as they come, and
 * none is kept: large ones (256 KiB to 1 MiB) are fastest.
 *
 * What the source throws is passed on as it is.
 *
 * @throws {StoreError} `aborted` as soon as the signal fires, with its reason as the cause: the
 *   source is told to return once it has answered what it was asked before. `invalid_argument`
 *   for a chunk that is no Uint8Array.
 */
export async function digestStream(
  source: AsyncIterable<Uint8Array>,
  options: DigestStreamOptions = {},
): Promise<DualDigest> {
  const { signal } = options;
  const hasher = (await loadDualHashing()).createHasher();
  const hashing = async (): Promise<DualDigest> => {
    for await (const chunk of source) {
      if (signal?.aborted === true) throw aborted(signal);
      hasher.update(chunk);
    }
    return hasher.digest();
  };
  return signal === undefined ? hashing() : untilAborted(hashing, signal);
}

/**
 * What `work` resolves to, or `aborted`, whichever is first. One race for the whole of the work:
 * racing each chunk against the signal would keep every chunk until the end.
 */
async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw aborted(signal);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = (): void => reject(aborted(signal));
  signal.addEventListener("abort", abort, { once: true });
  try {
    work().then(resolve, reject);
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function aborted(signal: AbortSignal): StoreError {
  return new StoreError("aborted", "The digest was given up: its signal was aborted.", {
    cause: signal.reason,
  });
}
