import { StoreError } from "@store/identity";
import { assertNotAborted, untilAborted } from "./aborting.ts";

/**
 * Reads a source one chunk at a time, or one ahead: the next chunk can be asked for while the one
 * before is being hashed. A chunk belongs to its reader only until the next is asked for, so that
 * a source may fill one buffer again and again.
 */
export class SourceReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  #asked: Promise<IteratorResult<Uint8Array>> | undefined;
  #waiting = false;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** Asks for the next chunk without waiting for it. */
  ask(): void {
    if (this.#asked !== undefined || this.#ended) return;
    this.#waiting = true;
    this.#asked = settling(() => this.#iterator.next());
    // Whoever takes the chunk sees the failure; nobody may, if something else fails first.
    this.#asked.then(
      ({ done }) => this.#answered(done === true),
      () => this.#answered(true),
    );
  }

  /**
   * The next chunk, undefined at the end. What the source throws is passed on as it is. Throws
   * `aborted` for the signal, `invalid_argument` for a chunk that is no Uint8Array.
   */
  async next(): Promise<Uint8Array | undefined> {
    assertNotAborted(this.#signal, "transfer");
    this.ask();
    if (this.#asked === undefined) return undefined;
    const result = await untilAborted(this.#asked, this.#signal, "transfer");
    this.#asked = undefined;
    if (result.done === true) return undefined;
    assertBytes(result.value);
    return result.value;
  }

  /**
   * Tells the source that no more is wanted, so that it frees what it holds. Waits for that, but
   * not where the source still owes a chunk: a client that has gone silent may never send it.
   */
  async release(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const released = settling(async () => this.#iterator.return?.()).catch(() => undefined);
    if (!this.#waiting) await released;
  }

  #answered(ended: boolean): void {
    this.#waiting = false;
    this.#ended ||= ended;
  }
}

/** An iterator is anybody's code: what it throws at once is a rejection too. */
async function settling<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

function assertBytes(chunk: unknown): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) return;
  throw new StoreError(
    "invalid_argument",
    `The source gave a chunk of type ${typeof chunk}, not a Uint8Array; encode text first.`,
    { context: { expected: "Uint8Array", actual: typeof chunk } },
  );
}
