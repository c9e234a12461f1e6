interface Place {
  readonly caller: string;
  /** The event that is being given; absent while one is waited for. */
  giving?: number;
}

/** Who follows the log, and how far behind each is. */
export class EventFollowers {
  readonly #places = new Set<Place>();

  get count(): number {
    return this.#places.size;
  }

  /** How many of them one caller is. */
  countOf(caller: string): number {
    return [...this.#places].filter((place) => place.caller === caller).length;
  }

  /** How many events the slowest is behind a log of `size`; 0 where all wait for more. */
  lag(size: number): number {
    const given = [...this.#places].map(({ giving = size }) => giving);
    return size - Math.min(size, ...given);
  }

  /** Counts a follower for as long as it is iterated over. */
  async *follow<T extends { readonly seq: number }>(
    caller: string,
    events: AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const place: Place = { caller };
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
