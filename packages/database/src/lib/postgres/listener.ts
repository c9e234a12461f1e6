/** LISTEN, kept up across lost connections. */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "@store/identity";
import { startHeartbeat } from "./heartbeat.ts";
import type { PostgresSessionConnection } from "./connection.ts";
import type { PostgresServer } from "./server.ts";
import { channelName } from "./url.ts";
import type { Listener } from "../types.ts";

const shortestPauseMs = 100;
const longestPauseMs = 5_000;
/** A server owes a listener nothing, so it is asked now and then whether it is there. */
const heartbeatMs = 15_000;
const answerTimeoutMs = 10_000;

/** Called with each payload, and with `undefined` when what was sent before may be lost. */
type OnNotify = (payload: string | undefined) => void;

/** One channel of one schema; connects again, with growing pauses, until it is closed. */
export class PostgresListener implements Listener {
  readonly #server: PostgresServer;
  readonly #channel: string;
  readonly #onNotify: OnNotify;
  readonly #stopping = new AbortController();
  #session: PostgresSessionConnection | undefined;

  private constructor(server: PostgresServer, channel: string, onNotify: OnNotify) {
    this.#server = server;
    this.#channel = channelName(server.place.schema, channel);
    this.#onNotify = onNotify;
  }

  /** Resolves once it listens. */
  static async open(
    server: PostgresServer,
    channel: string,
    onNotify: OnNotify,
  ): Promise<PostgresListener> {
    const listener = new PostgresListener(server, channel, onNotify);
    await listener.#connect();
    return listener;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#session?.close();
  }

  async #connect(): Promise<void> {
    const session = await this.#server.open({
      answerTimeoutMs,
      onLost: () => void this.#reconnect(),
      onNotify: (channel, payload) => {
        if (channel === this.#channel) this.#onNotify(payload);
      },
    });
    try {
      await session.batch(`LISTEN "${this.#channel}"`);
    } catch (error) {
      await session.close();
      throw error;
    }
    if (session.isLost) throw new StoreError("database_unavailable", "LISTEN was lost at once.");
    this.#session = session;
    if (this.#stopping.signal.aborted) {
      await session.close();
      return;
    }
    startHeartbeat(session, heartbeatMs);
    this.#onNotify(undefined);
  }

  /** Called when any session ends; only the one that listened is followed by another. */
  async #reconnect(): Promise<void> {
    if (this.#session?.isLost !== true) return;
    const lost = this.#session;
    this.#session = undefined;
    await lost.close();
    const { signal } = this.#stopping;
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      // The server's prober knows first when it is back.
      await this.#server.recovered();
      if (signal.aborted) return;
      try {
        await this.#connect();
        return;
      } catch {
        await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }
}
