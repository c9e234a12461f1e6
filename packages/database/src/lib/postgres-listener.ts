/** LISTEN, kept up across lost connections. */
import { setTimeout as sleep } from "node:timers/promises";
import type postgres from "postgres";
import { createClient } from "./postgres-connection.ts";
import { postgresError } from "./postgres-errors.ts";
import { channelName, type PostgresPlace } from "./postgres-url.ts";
import type { Listener } from "./types.ts";

const shortestPauseMs = 100;
const longestPauseMs = 5_000;

/** Called with each payload, and with `undefined` when what was sent before may be lost. */
type OnNotify = (payload: string | undefined) => void;

/** One channel of one schema; connects again, with growing pauses, until it is closed. */
export class PostgresListener implements Listener {
  readonly #place: PostgresPlace;
  readonly #channel: string;
  readonly #onNotify: OnNotify;
  readonly #stopping = new AbortController();
  #client: postgres.Sql | undefined;

  private constructor(place: PostgresPlace, channel: string, onNotify: OnNotify) {
    this.#place = place;
    this.#channel = channelName(place.schema, channel);
    this.#onNotify = onNotify;
  }

  /** Resolves once it listens. */
  static async open(
    place: PostgresPlace,
    channel: string,
    onNotify: OnNotify,
  ): Promise<PostgresListener> {
    const listener = new PostgresListener(place, channel, onNotify);
    await listener.#connect();
    return listener;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    const client = this.#client;
    this.#client = undefined;
    await client?.end({ timeout: 1 });
  }

  async #connect(): Promise<void> {
    const client = createClient(this.#place, {
      connections: 1,
      settings: {},
      onLost: () => void this.#reconnect(client),
      onNotify: (channel, payload) => {
        if (channel === this.#channel) this.#onNotify(payload);
      },
    });
    try {
      await client.unsafe(`LISTEN "${this.#channel}"`);
    } catch (error) {
      await client.end({ timeout: 0 });
      throw postgresError(error);
    }
    if (this.#stopping.signal.aborted) {
      await client.end({ timeout: 0 });
      return;
    }
    this.#client = client;
    this.#onNotify(undefined);
  }

  async #reconnect(lost: postgres.Sql): Promise<void> {
    if (lost !== this.#client) return;
    this.#client = undefined;
    await lost.end({ timeout: 0 });
    let pauseMs = shortestPauseMs;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#connect();
        return;
      } catch {
        await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
  }
}
