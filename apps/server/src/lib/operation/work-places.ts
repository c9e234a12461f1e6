import type { ServerResponse } from "node:http";

import { StoreError } from "@store/identity";

/** How long one who comes too early is asked to wait, in seconds. */
const waitSeconds = 10;

/** So many works that read everything there is may be under way, so that requests have the rest. */
export class WorkPlaces {
  readonly #limit: number;
  readonly #taken = new Set<ServerResponse>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes a place until the answer has ended.
   *
   * @throws {StoreError} `rate_limited` where none is free
   */
  take(outgoing: ServerResponse): void {
    if (this.#taken.size >= this.#limit) throw noPlace(this.#limit);
    this.#taken.add(outgoing);
    const leave = (): void => void this.#taken.delete(outgoing);
    outgoing.once("close", leave);
    // Who is gone already is not heard of again.
    if (outgoing.destroyed) leave();
  }
}

function noPlace(limit: number): StoreError {
  return new StoreError(
    "rate_limited",
    `This server works on ${limit} walks over the objects already, and takes no more; wait for ` +
      "one to end, or try another server.",
    { context: { limit: waitSeconds } },
  );
}
