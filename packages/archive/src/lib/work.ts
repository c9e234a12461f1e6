import { StoreError } from "@store/identity";
import type { ArchiveEntry } from "./entry.ts";
import { Pacer } from "./pacer.ts";

/** A larger chunk of a source is worked on in parts, so that the event loop turns in between. */
const partBytes = 1024 * 1024;

/** What all steps of one archive share: who may end it, and how it makes room for others. */
export class ArchiveWork {
  readonly pacer = new Pacer();
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Lets the event loop turn, if it was held for long. */
  async breathe(): Promise<void> {
    if (this.pacer.isDue()) await this.pacer.pause();
  }

  /**
   * The content of an entry, in parts of at most 1 MiB, held to its size.
   *
   * @throws {StoreError} `size_mismatch` before a byte too many is passed on, or at an end that
   *   comes too early; `invalid_argument` for a chunk that is no Uint8Array; `aborted`.
   */
  async *content(entry: ArchiveEntry): AsyncGenerator<Uint8Array, void, undefined> {
    let readBytes = 0;
    for await (const chunk of this.each(entry.open())) {
      assertBytes(chunk, entry);
      readBytes += chunk.length;
      if (readBytes > entry.sizeBytes) throw mismatch(entry, readBytes, "more bytes");
      for (let start = 0; start < chunk.length; start += partBytes) {
        yield chunk.length <= partBytes ? chunk : chunk.subarray(start, start + partBytes);
        await this.breathe();
      }
    }
    if (readBytes < entry.sizeBytes) throw mismatch(entry, readBytes, "fewer bytes");
  }

  /**
   * What `iterable` gives, until the signal fires: then `aborted` is thrown at once, also while an
   * item is awaited. However the reading ends, the iterable is told to free what it holds, and
   * waited for, unless it still owes an item that may never come.
   */
  async *each<T>(iterable: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, void, undefined> {
    this.#assertNotAborted();
    const iterator =
      Symbol.asyncIterator in iterable
        ? iterable[Symbol.asyncIterator]()
        : iterable[Symbol.iterator]();
    let state: "idle" | "owing" | "ended" = "idle";
    try {
      for (;;) {
        this.#assertNotAborted();
        state = "owing";
        const result = await this.#untilAborted(iterator.next());
        state = result.done === true ? "ended" : "idle";
        if (result.done === true) return;
        yield result.value;
      }
    } catch (error) {
      // An iterator that threw has ended itself; one that was given up still owes an item.
      if (state === "owing" && !this.#isAborted) state = "ended";
      throw error;
    } finally {
      if (state !== "ended") {
        const released = release(iterator);
        if (state === "idle") await released;
      }
    }
  }

  get #isAborted(): boolean {
    return this.#signal?.aborted === true;
  }

  #assertNotAborted(): void {
    if (this.#signal?.aborted === true) throw aborted(this.#signal);
  }

  /** Leaves no listener behind: a race against the signal would keep every chunk until its end. */
  #untilAborted<T>(promise: Promise<T> | T): Promise<T> | T {
    const signal = this.#signal;
    if (signal === undefined || !(promise instanceof Promise)) return promise;
    return new Promise<T>((resolve, reject) => {
      const abort = (): void => reject(aborted(signal));
      signal.addEventListener("abort", abort, { once: true });
      const settled = (): void => signal.removeEventListener("abort", abort);
      promise.then(settled, settled);
      promise.then(resolve, reject);
    });
  }
}

/** An iterator is anybody's code: what its `return` throws must not hide why the archive ended. */
async function release(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The archive has ended already; there is nobody left to tell.
  }
}

function assertBytes(chunk: unknown, { path }: ArchiveEntry): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) return;
  throw new StoreError(
    "invalid_argument",
    `The content of '${path}' has a chunk of type ${typeof chunk}, not a Uint8Array.`,
    { context: { path, expected: "Uint8Array", actual: typeof chunk } },
  );
}

function mismatch(entry: ArchiveEntry, actual: number, what: string): StoreError {
  return new StoreError(
    "size_mismatch",
    `The source of '${entry.path}' gave ${what} than its size of ${entry.sizeBytes} says.`,
    { context: { path: entry.path, expected: entry.sizeBytes, actual } },
  );
}

function aborted(signal: AbortSignal): StoreError {
  return new StoreError("aborted", "The archive was given up: its signal was aborted.", {
    cause: signal.reason,
  });
}
