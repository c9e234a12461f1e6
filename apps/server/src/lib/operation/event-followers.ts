/** Who follows the log, and how far behind each is. */
export class EventFollowers {
  /** For each the event that it is being given; absent while it waits for one. */
  readonly #places = new Set<{ giving?: number }>();

  get count(): number {
    return this.#places.size;
  }

  /** How many events the slowest is behind a log of `size`; 0 where all wait for more. */
  lag(size: number): number {
    const given = [...this.#places].map(({ giving = size }) => giving);
    return size - Math.min(size, ...given);
  }

  /** Counts a follower for as long as it is iterated over. */
  async *follow<T extends { readonly seq: number }>(events: AsyncIterable<T>): AsyncGenerator<T> {
    const place: { giving?: number } = {};
    this.#places.add(place);
    try {
      for await (const event of events) {
        place.giving = event.seq;
        yield event;
        delete place.giving;
      }
    } finally {
      this.#places.delete(place);
    }
  }
}
