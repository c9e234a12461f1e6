import { StoreError } from "./error.ts";
import { loadDualHashing } from "./hashing.ts";
import type { DualDigest } from "./hashing.ts";

/** How to read the stream of {@link digestStream}. */
export interface DigestStreamOptions {
  /** Ends the reading, also while a chunk is awaited. */
  readonly signal?: AbortSignal;
}

/**
 * Both digests and the size of a stream, in one pass. Chunks are hashed whole, as they come, and
 * are not kept: large ones (256 KiB to 1 MiB) are fastest.
 *
 * What the source throws is passed on as it is.
 *
 * @throws {StoreError} `aborted` once the signal fires, with its reason as the cause, and the
 *   source is told to return; `invalid_argument` for a chunk that is no Uint8Array.
 */
export async function digestStream(
  source: AsyncIterable<Uint8Array>,
  options: DigestStreamOptions = {},
): Promise<DualDigest> {
  const { signal } = options;
  const hasher = (await loadDualHashing()).createHasher();
  const chunks = signal === undefined ? source : untilAborted(source, signal);
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.digest();
}

/** The chunks of a source, or `aborted` as soon as the signal fires, whatever the source does. */
async function* untilAborted(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const abortion = Promise.withResolvers<never>();
  // Without a handler, an abort between two chunks would count as an unhandled rejection.
  abortion.promise.catch(() => {});
  const abort = (): void =>
    abortion.reject(
      new StoreError("aborted", "The digest was given up: its signal was aborted.", {
        cause: signal.reason,
      }),
    );
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const iterator = source[Symbol.asyncIterator]();
  let exhausted = false;
  try {
    while (true) {
      const next = iterator.next();
      // Once the race is lost, nobody else looks at what a late chunk became.
      next.catch(() => {});
      const result = await Promise.race([abortion.promise, next]);
      if (result.done === true) {
        exhausted = true;
        return;
      }
      yield result.value;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    // A source that hangs in next() would never answer return(), so nobody waits for it.
    if (!exhausted) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
