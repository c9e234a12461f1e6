/** One who follows the log, counted from entering to leaving. */
export interface Follower {
  /** Passes events on, and leaves when they end. */
  follow<T extends { readonly seq: number }>(events: AsyncIterable<T>): AsyncGenerator<T>;
  /** Repeating it is harmless. */
  leave(): void;
}

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

  /** Takes a place at once, so that many who come together are all counted. */
  enter(caller: string): Follower {
    const place: Place = { caller };
    const places = this.#places.add(place);
    const leave = (): void => void places.delete(place);
    return {
      leave,
      async *follow(events) {
        try {
          for await (const event of events) {
            place.giving = event.seq;
            yield event;
            delete place.giving;
          }
        } finally {
          leave();
        }
      },
    };
  }
}
