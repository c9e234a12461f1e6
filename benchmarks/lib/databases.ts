import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { type PostgresServer, startPostgresServer } from "@store/testing/postgres";
import postgres from "postgres";

export type Dialect = "sqlite" | "postgres";

/** How the dialects are called in tables. */
export const dialectNames = { sqlite: "SQLite", postgres: "PostgreSQL" } as const;

/** Empty databases of both dialects, as durable as they would be in use. */
export class Databases implements AsyncDisposable {
  readonly #folder: string;
  #server: Promise<PostgresServer> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The URL of an empty database, for `openDatabase`. `name` is used once, and is `a-z_`. */
  async url(dialect: Dialect, name: string): Promise<string> {
    if (dialect === "sqlite") return `sqlite:${this.sqlitePath(name)}`;
    const client = await this.postgresClient();
    await client`create schema ${client(name)}`;
    await client.end();
    const { url } = await this.#postgres();
    return `${url}?schema=${name}`;
  }

  sqlitePath(name: string): string {
    return join(this.#folder, `${name}.db`);
  }

  /** The bare driver on a SQLite database, with the durability that ours has. */
  openSqlite(name: string): DatabaseSync {
    const database = new DatabaseSync(this.sqlitePath(name), { timeout: 1000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    return database;
  }

  /** The bare driver on the server; `schema` is where names without one are looked up. */
  async postgresClient(options: { schema?: string; connections?: number } = {}) {
    const { url } = await this.#postgres();
    return postgres(url, {
      max: options.connections ?? 1,
      onnotice: () => undefined,
      connection: { search_path: options.schema ?? "public" },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = await this.#server;
    await server?.stop();
  }

  #postgres(): Promise<PostgresServer> {
    this.#server ??= startServer();
    return this.#server;
  }
}

async function startServer(): Promise<PostgresServer> {
  const server = await startPostgresServer({
    fsync: true,
    settings: ["shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min"],
  });
  // Whoever interrupts a benchmark leaves no server behind.
  process.on("exit", () => {
    try {
      process.kill(server.pid, "SIGQUIT");
    } catch {
      // It was stopped before.
    }
  });
  return server;
}
