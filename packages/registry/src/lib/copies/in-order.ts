/** Items in their order, several in hand at once, and up to which of them all are done. */
export class InOrder<Item> {
  readonly #items: AsyncIterator<Item>;
  readonly #mostWaiting: number;
  readonly #onDone: (item: Item) => void;
  /** What was taken and is not done, or is done but not all before it. */
  readonly #taken: { readonly item: Item; done: boolean }[] = [];
  #moved = Promise.withResolvers<void>();

  /**
   * `onDone` is called for each item once it and all before it are done, in their order. Behind an
   * item that takes long, at most `mostWaiting` others are done.
   */
  constructor(items: AsyncIterable<Item>, mostWaiting: number, onDone: (item: Item) => void) {
    this.#items = items[Symbol.asyncIterator]();
    this.#mostWaiting = mostWaiting;
    this.#onDone = onDone;
  }

  /** Handles items until there are no more, or one of them fails; gives what `signal` gives up. */
  async run(
    concurrency: number,
    signal: AbortSignal,
    handle: (item: Item) => Promise<void>,
  ): Promise<void> {
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    let hasFailed = false;
    const work = async (): Promise<void> => {
      while (!hasFailed && !signal.aborted) {
        while (this.#taken.length >= this.#mostWaiting && !hasFailed) {
          await Promise.race([this.#moved.promise, failed.promise]);
        }
        const next = await this.#items.next();
        if (next.done === true) return;
        const entry = { item: next.value, done: false };
        this.#taken.push(entry);
        await handle(entry.item);
        entry.done = true;
        this.#advance();
      }
    };
    const workers = Array.from({ length: concurrency }, () =>
      work().catch((error: unknown) => {
        hasFailed = true;
        failed.reject(error);
      }),
    );
    // None goes on behind the back of whoever waits here.
    await Promise.all(workers);
    await this.#items.return?.();
    if (hasFailed) await failed.promise;
  }

  #advance(): void {
    let count = 0;
    for (const { item, done } of this.#taken) {
      if (!done) break;
      this.#onDone(item);
      count += 1;
    }
    if (count === 0) return;
    this.#taken.splice(0, count);
    this.#moved.resolve();
    this.#moved = Promise.withResolvers<void>();
  }
}
