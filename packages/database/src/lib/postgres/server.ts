/** One PostgreSQL server as everybody of one open database sees it. */
import type { StoreError } from "@store/identity";
import { Availability } from "./availability.ts";
import { PostgresSessionConnection, type SessionOptions } from "./connection.ts";
import type { PostgresPlace } from "./url.ts";

/** Opens sessions; all of them share what is known of the server's availability. */
export class PostgresServer {
  readonly place: PostgresPlace;
  readonly #availability: Availability;
  readonly #connectTimeoutMs: number;
  #silentMs = -Infinity;

  constructor(
    place: PostgresPlace,
    options: {
      readonly connectTimeoutMs: number;
      readonly onAway?: (refusal: StoreError) => void;
    },
  ) {
    this.place = place;
    this.#connectTimeoutMs = options.connectTimeoutMs;
    this.#availability = new Availability({
      probe: async () => (await this.#connect({})).close(),
      ...(options.onAway !== undefined && { onAway: options.onAway }),
    });
  }

  /** What a session that is wanted now would be refused with. */
  get refusal(): StoreError | undefined {
    return this.#availability.refusal;
  }

  /**
   * When a session was last given up because nothing was heard, by `performance.now()`. Those that
   * have been idle since before may lead nowhere as well.
   */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** Opens a session that sees `schema`, or refuses at once where the server is known to be away. */
  open(options: SessionOptions = {}, schema?: string): Promise<PostgresSessionConnection> {
    return this.#availability.connect(() => this.#connect(options, schema));
  }

  /** Resolves once the server is there again; at once if it is. */
  recovered(): Promise<void> {
    return this.#availability.recovered();
  }

  close(): Promise<void> {
    return this.#availability.close();
  }

  #connect(
    options: SessionOptions,
    schema = this.place.schema,
  ): Promise<PostgresSessionConnection> {
    const connectTimeoutMs = this.#connectTimeoutMs;
    const place = { ...this.place, schema };
    const onSilent = (): void => void (this.#silentMs = performance.now());
    return PostgresSessionConnection.open(place, { connectTimeoutMs, onSilent, ...options });
  }
}

/** How long one statement may take. */
export interface StatementLimits {
  /** After which the server ends it. */
  readonly timeoutMs: number;
  /** What the network may add; after both a server that is silent is given up. */
  readonly graceMs: number;
}

/** Bounds each statement of a session, by the server and, should that be silent, by the client. */
export function withinTime(
  { timeoutMs, graceMs }: StatementLimits,
  settings: Readonly<Record<string, string>> = {},
): SessionOptions {
  return {
    settings: { ...settings, statement_timeout: String(timeoutMs) },
    answerTimeoutMs: timeoutMs + graceMs,
  };
}

/**
 * For replay and migrations, whose statements take as long as they take; the system's keepalive
 * finds a network that is gone. A client that hangs in a transaction would hold the lock of all
 * servers, so it is cut off.
 */
export function withoutLimit(lockTimeoutMs: number): SessionOptions {
  return { settings: { ...writerSettings(lockTimeoutMs), statement_timeout: "0" } };
}

/** Settings of every session that takes the instance's lock. */
export function writerSettings(lockTimeoutMs: number): Record<string, string> {
  return {
    lock_timeout: String(lockTimeoutMs),
    idle_in_transaction_session_timeout: "60000",
  };
}
