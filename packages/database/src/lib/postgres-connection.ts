/** Connections to PostgreSQL: a pool for reading, and one that is lost for good when it is lost. */
import postgres from "postgres";
import { StoreError } from "@store/identity";
import type { Connection, ResultMode } from "./connection.ts";
import { isConnectionLost, postgresError } from "./postgres-errors.ts";
import { socketFactory } from "./postgres-socket.ts";
import type { PostgresPlace } from "./postgres-url.ts";

/** Server-side statements kept by one connection; texts beyond are not prepared. */
const preparedLimit = 256;
/** Texts whose first use is remembered, to tell what is worth preparing. */
const seenLimit = 1_024;

/** How to connect. */
export interface ClientOptions {
  readonly connections: number;
  /** Settings of each session. */
  readonly settings: Readonly<Record<string, string>>;
  readonly onLost?: () => void;
  readonly onNotify?: (channel: string, payload: string) => void;
}

/** A client of the driver whose sessions see one schema. */
export function createClient(place: PostgresPlace, options: ClientOptions): postgres.Sql {
  const settings = {
    max: options.connections,
    fetch_types: false,
    max_lifetime: null,
    connect_timeout: 10,
    keep_alive: 15,
    onnotice: () => undefined,
    onclose: options.onLost ?? (() => undefined),
    // The driver knows these two options; its types do not.
    onnotify: options.onNotify,
    socket: socketFactory(),
    connection: {
      application_name: `store ${place.schema}`,
      search_path: `"${place.schema}"`,
      ...options.settings,
    },
    // Whole numbers stay below 2^53 here, and are numbers on SQLite too.
    types: { int8: { to: 20, from: [20], parse: Number, serialize: String } },
  };
  return postgres(place.url, settings);
}

/** Prepares a text from its second use on, so that the many that run once leave nothing behind. */
class PreparedTexts {
  readonly #seen = new Set<string>();
  readonly #prepared = new Set<string>();

  isWorthIt(text: string): boolean {
    if (this.#prepared.has(text)) return true;
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= seenLimit) this.#seen.clear();
      this.#seen.add(text);
      return false;
    }
    if (this.#prepared.size >= preparedLimit) return false;
    this.#prepared.add(text);
    return true;
  }
}

function send(
  client: postgres.Sql,
  prepare: boolean,
  text: string,
  parameters: readonly unknown[],
  mode: ResultMode,
): Promise<unknown> {
  // Drizzle encodes every value for the driver, so these are what it can send.
  const values = parameters as postgres.ParameterOrJSON<never>[];
  const query = client.unsafe(text, values, { prepare });
  if (mode === "rows") return query.values();
  return query.then((result) => ({ changes: result.count }));
}

/** Reads: any of some connections, opened again as needed. */
export class PostgresPool implements Connection {
  readonly #client: postgres.Sql;
  readonly #texts = new PreparedTexts();

  constructor(client: postgres.Sql) {
    this.#client = client;
  }

  async execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    try {
      return await send(this.#client, this.#texts.isWorthIt(text), text, parameters, mode);
    } catch (error) {
      throw postgresError(error);
    }
  }
}

/**
 * One session. The driver would connect anew in the middle of a transaction and run the rest of it
 * outside; here everything after the loss fails, and so does what was in flight.
 */
export class PostgresSessionConnection implements Connection {
  readonly #client: postgres.Sql;
  readonly #texts = new PreparedTexts();
  readonly #inFlight = new Set<(error: StoreError) => void>();
  #lost: StoreError | undefined;

  private constructor(place: PostgresPlace, settings: Readonly<Record<string, string>>) {
    this.#client = createClient(place, {
      connections: 1,
      settings,
      onLost: () => this.#lose(new StoreError("database_unavailable", lostMessage)),
    });
  }

  /** Connects. Rejects with `database_unavailable` or `permission_denied`. */
  static async open(
    place: PostgresPlace,
    settings: Readonly<Record<string, string>>,
  ): Promise<PostgresSessionConnection> {
    const connection = new PostgresSessionConnection(place, settings);
    try {
      // A server that answers before its disk has is asked not to.
      await connection.batch(
        "SELECT set_config('synchronous_commit', 'on', false) " +
          "WHERE current_setting('synchronous_commit') = 'off'",
      );
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    return this.#track(() =>
      send(this.#client, this.#texts.isWorthIt(text), text, parameters, mode),
    );
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
    this.#lose(new StoreError("closed", "The database is closed."));
    await this.#client.end({ timeout });
  }

  #track<T>(run: () => Promise<T>): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise<T>((resolve, reject) => {
      this.#inFlight.add(reject);
      run().then(
        (result) => {
          this.#inFlight.delete(reject);
          resolve(result);
        },
        (error: unknown) => {
          this.#inFlight.delete(reject);
          const failure = postgresError(error);
          if (isConnectionLost(error)) this.#lose(failure);
          reject(failure);
        },
      );
    });
  }

  #lose(error: StoreError): void {
    this.#lost ??= error;
    for (const reject of this.#inFlight) reject(this.#lost);
    this.#inFlight.clear();
  }
}

const lostMessage = "The connection to PostgreSQL was lost; try again.";

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
