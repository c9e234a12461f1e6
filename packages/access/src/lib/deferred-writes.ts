/** Something that is written later. */
interface Deferred {
  readonly isEmpty: boolean;
  flush(): Promise<void>;
}

/** How often what is deferred is written. */
const everyMs = 2_000;

/**
 * Writes what is deferred every other second, as long as there is something. A failure loses what
 * was to be written, which is why nothing that matters is deferred.
 */
export class DeferredWrites {
  readonly #parts: readonly Deferred[];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: readonly Deferred[]) {
    this.#parts = parts;
  }

  /** Sees to it that what was added is written. */
  schedule(): void {
    if (this.#closed || this.#timer !== undefined) return;
    if (this.#parts.every(({ isEmpty }) => isEmpty)) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flush();
    }, everyMs);
    this.#timer.unref();
  }

  /** Writes what is left, and nothing afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    await this.#flush();
  }

  async #flush(): Promise<void> {
    await Promise.allSettled(this.#parts.map((part) => part.flush()));
  }
}
