import type { ServerResponse } from "node:http";

import { isStoreError, StoreError } from "@store/identity";

/** A request under way, as the server that wants to close sees it. */
export interface LiveExchange extends Disposable {
  /**
   * Takes one of the places for requests under way, unless it has one. Whoever only waits for a
   * stranger needs none: else strangers who send nothing would keep everybody else out.
   *
   * @throws {StoreError} `rate_limited` where no place is free
   */
  takePlace(): void;
  /** Gives the place back, where nothing is left to do but to tell. */
  leavePlace(): void;
  /** Aborted once the client is gone, or the server ends what outlived its closing. */
  readonly signal: AbortSignal;
  /** What an error is really about: where the signal was why something stopped, its reason. */
  causeOf(error: unknown): unknown;
}

/**
 * Counts the requests under way, and ends them where they outlive the server's closing. Signals are
 * made only for those who ask.
 */
export class LiveExchanges {
  readonly #live = new Set<Live>();
  readonly #places: Places;

  constructor(limit: number) {
    this.#places = new Places(limit);
  }

  begin(outgoing: ServerResponse): LiveExchange {
    const live = new Live(outgoing, this.#places, () => this.#live.delete(live));
    this.#live.add(live);
    return live;
  }

  /** Aborts the signals of all that are under way. */
  cutOff(): void {
    const reason = new StoreError("closed", "The server closes; try again later.");
    for (const live of this.#live) live.abort(reason);
  }
}

/** So many requests may be under way. */
class Places {
  readonly #limit: number;
  readonly #taken = new Set<Live>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(live: Live): void {
    if (this.#taken.has(live)) return;
    if (this.#taken.size >= this.#limit) throw noPlace(this.#limit);
    this.#taken.add(live);
  }

  leave(live: Live): void {
    this.#taken.delete(live);
  }
}

function noPlace(limit: number): StoreError {
  return new StoreError(
    "rate_limited",
    `The server has ${limit} requests under way, and takes no more; try again in a moment.`,
  );
}

class Live implements LiveExchange {
  readonly #outgoing: ServerResponse;
  readonly #places: Places;
  readonly #ended: () => void;
  #controller: AbortController | undefined;

  constructor(outgoing: ServerResponse, places: Places, ended: () => void) {
    this.#outgoing = outgoing;
    this.#places = places;
    this.#ended = ended;
  }

  takePlace(): void {
    this.#places.take(this);
  }

  leavePlace(): void {
    this.#places.leave(this);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#outgoing.once("close", this.#closed);
      if (this.#outgoing.destroyed) this.#closed();
    }
    return this.#controller.signal;
  }

  causeOf(error: unknown): unknown {
    const isAborted = isStoreError(error, "aborted") && this.#controller?.signal.aborted === true;
    return isAborted ? this.#controller?.signal.reason : error;
  }

  abort(reason: StoreError): void {
    void this.signal;
    this.#controller?.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#outgoing.off("close", this.#closed);
    this.leavePlace();
    this.#ended();
  }

  readonly #closed = (): void => {
    if (this.#outgoing.writableFinished) return;
    this.#controller?.abort(new StoreError("aborted", "The client went away."));
  };
}
