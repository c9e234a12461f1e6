import type { ServerResponse } from "node:http";

import { isStoreError, StoreError } from "@store/identity";

/** A request under way, as the server that wants to close sees it. */
export interface LiveExchange extends Disposable {
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
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#live.size;
  }

  begin(outgoing: ServerResponse): LiveExchange {
    const live = new Live(outgoing, () => this.#live.delete(live));
    this.#live.add(live);
    return live;
  }

  /** @throws {StoreError} `rate_limited` where too many requests are under way */
  assertRoom(): void {
    if (this.#live.size <= this.#limit) return;
    throw new StoreError(
      "rate_limited",
      `The server has ${this.#limit} requests under way, and takes no more; try again in a moment.`,
    );
  }

  /** Aborts the signals of all that are under way. */
  cutOff(): void {
    const reason = new StoreError("closed", "The server closes; try again later.");
    for (const live of this.#live) live.abort(reason);
  }
}

class Live implements LiveExchange {
  readonly #outgoing: ServerResponse;
  readonly #ended: () => void;
  #controller: AbortController | undefined;

  constructor(outgoing: ServerResponse, ended: () => void) {
    this.#outgoing = outgoing;
    this.#ended = ended;
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
    this.#ended();
  }

  readonly #closed = (): void => {
    if (this.#outgoing.writableFinished) return;
    this.#controller?.abort(new StoreError("aborted", "The client went away."));
  };
}
