/** One session with PostgreSQL, which is lost for good when it is lost. */
import type { Socket } from "node:net";
import postgres from "postgres";
import { StoreError } from "@store/identity";
import { AnswerWatch } from "./answer-watch.ts";
import type { Connection, ResultMode } from "../connection.ts";
import { dial, type SocketAddress } from "./dial.ts";
import { isConnectionLost, postgresError } from "./errors.ts";
import type { PostgresPlace } from "./url.ts";
import { PreparedTexts } from "./prepared-texts.ts";

/** How a session is opened. */
export interface SessionOptions {
  /** Settings of the server for this session. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Longest wait until the session is there. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Longest silence while an answer is owed; without it, as long as it takes. */
  readonly answerTimeoutMs?: number;
  /** Called once, when the session is lost or closed. */
  readonly onLost?: () => void;
  /** Called before that where it is lost because nothing was heard from the server. */
  readonly onSilent?: () => void;
  readonly onNotify?: (channel: string, payload: string) => void;
}

/**
 * A server whose client went silent holds that client's locks until it finds out; so it asks, and
 * gives up after half a minute.
 */
const serverKeepAlive = {
  tcp_keepalives_idle: "15",
  tcp_keepalives_interval: "5",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "30000",
};

/**
 * One session. The driver would connect anew in the middle of a transaction and run the rest of it
 * outside; here everything after the loss fails, and so does what was in flight.
 */
export class PostgresSessionConnection implements Connection {
  readonly #client: postgres.Sql;
  readonly #texts = new PreparedTexts();
  readonly #inFlight = new Set<(error: StoreError) => void>();
  readonly #answers: AnswerWatch | undefined;
  readonly #onLost: (() => void) | undefined;
  readonly #dialling = new AbortController();
  #socket: Socket | undefined;
  #lost: StoreError | undefined;

  private constructor(place: PostgresPlace, options: SessionOptions) {
    const { answerTimeoutMs, onLost } = options;
    this.#onLost = onLost;
    if (answerTimeoutMs !== undefined) {
      this.#answers = new AnswerWatch({
        timeoutMs: answerTimeoutMs,
        bytesRead: () => this.#socket?.bytesRead ?? 0,
        onSilent: () => {
          options.onSilent?.();
          this.#lose(silent(answerTimeoutMs));
        },
      });
    }
    this.#client = this.#createClient(place, options);
  }

  /** Connects. Rejects with `database_unavailable` or `permission_denied`. */
  static async open(
    place: PostgresPlace,
    options: SessionOptions = {},
  ): Promise<PostgresSessionConnection> {
    const { connectTimeoutMs = 10_000 } = options;
    const session = new PostgresSessionConnection(place, options);
    const timer = setTimeout(() => session.#lose(tooSlow(connectTimeoutMs)), connectTimeoutMs);
    try {
      // A server that answers before its disk has is asked not to.
      await session.batch(
        "SELECT set_config('synchronous_commit', 'on', false) " +
          "WHERE current_setting('synchronous_commit') = 'off'",
      );
    } catch (error) {
      await session.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return session;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    return this.#track(() => {
      // Drizzle encodes every value for the driver, so these are what it can send.
      const values = parameters as postgres.ParameterOrJSON<never>[];
      const query = this.#client.unsafe(text, values, { prepare: this.#texts.isWorthIt(text) });
      if (mode === "rows") return query.values();
      return query.then((result) => ({ changes: result.count }));
    });
  }

  /**
   * Sends one or several statements without parameters in one message. Resolves to the last one's
   * rows and tag (`COMMIT`).
   */
  batch(text: string): Promise<{ rows: unknown[][]; command: string }> {
    return this.#track(async () => {
      const results: unknown = await this.#client.unsafe(text).values();
      return lastResult(results);
    });
  }

  /** Ends the session; what is in flight fails. */
  async close(): Promise<void> {
    // There is nobody to say goodbye to where it was lost, and a writer that waits to connect.
    const timeout = this.isLost ? 0 : 1;
    this.#fail(new StoreError("closed", "The database is closed."));
    await this.#client.end({ timeout });
    this.#hangUp();
  }

  #createClient(place: PostgresPlace, { settings, onNotify }: SessionOptions): postgres.Sql {
    const driverOptions = {
      max: 1,
      fetch_types: false,
      max_lifetime: null,
      // The session itself watches the time, also while the socket is not there yet.
      connect_timeout: 0,
      ssl: false,
      onnotice: () => undefined,
      onclose: () => this.#lose(new StoreError("database_unavailable", lostMessage)),
      // The driver knows these two options; its types do not.
      onnotify: onNotify,
      socket: (address: SocketAddress) => this.#dial(address, place),
      connection: {
        application_name: `store ${place.schema}`,
        search_path: `"${place.schema}"`,
        ...serverKeepAlive,
        ...settings,
      },
      // Whole numbers stay below 2^53 here, and are numbers on SQLite too.
      types: { int8: { to: 20, from: [20], parse: Number, serialize: String } },
    };
    return postgres(place.url, driverOptions);
  }

  /** The driver dials again where a server hangs up at once; a session does so once. */
  async #dial(address: SocketAddress, place: PostgresPlace): Promise<Socket> {
    try {
      if (this.#socket !== undefined) throw new StoreError("database_unavailable", hungUpMessage);
      this.#socket = await dial(address, place.tls, this.#dialling.signal);
      return this.#socket;
    } catch (error) {
      // Said here, before the driver adds to the error what was being asked.
      this.#lose(postgresError(error));
      throw error;
    }
  }

  #track<T>(run: () => Promise<T>): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise<T>((resolve, reject) => {
      this.#inFlight.add(reject);
      this.#answers?.asked();
      run().then(
        (result) => {
          this.#answers?.answered();
          this.#inFlight.delete(reject);
          resolve(result);
        },
        (error: unknown) => {
          this.#answers?.answered();
          this.#inFlight.delete(reject);
          const failure = postgresError(error);
          if (isConnectionLost(error)) this.#lose(failure);
          reject(failure);
        },
      );
    });
  }

  #lose(error: StoreError): void {
    this.#fail(error);
    this.#hangUp();
  }

  #fail(error: StoreError): void {
    const isFirst = this.#lost === undefined;
    this.#lost ??= error;
    this.#answers?.stop();
    for (const reject of this.#inFlight) reject(this.#lost);
    this.#inFlight.clear();
    if (isFirst) this.#onLost?.();
  }

  #hangUp(): void {
    this.#dialling.abort();
    this.#socket?.destroy();
  }
}

const lostMessage = "The connection to PostgreSQL was lost; try again.";
const hungUpMessage = "PostgreSQL is not there: something accepts connections and hangs up.";

function silent(timeoutMs: number): StoreError {
  return new StoreError(
    "database_unavailable",
    `PostgreSQL gave no answer for ${timeoutMs} ms, so the connection was given up; try again.`,
    { context: { limit: timeoutMs } },
  );
}

function tooSlow(timeoutMs: number): StoreError {
  return new StoreError(
    "database_unavailable",
    `PostgreSQL could not be connected to within ${timeoutMs} ms; try again.`,
    { context: { limit: timeoutMs } },
  );
}

/** One statement gives a result, several give a list of results. */
function lastResult(results: unknown): { rows: unknown[][]; command: string } {
  if (!Array.isArray(results)) throw new StoreError("internal", "PostgreSQL gave no result.");
  const many = !("command" in results) || results.command === undefined;
  const last: unknown = many ? results.at(-1) : results;
  if (!Array.isArray(last) || !("command" in last)) {
    throw new StoreError("internal", "PostgreSQL gave no result.");
  }
  return { rows: Array.from(last) as unknown[][], command: String(last.command) };
}
