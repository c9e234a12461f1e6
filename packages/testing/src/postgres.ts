/** Real PostgreSQL for tests: one server a test run, one schema a test. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import postgres from "postgres";
import { socketVariable } from "./lib/postgres/setup.ts";

export {
  primarySettings,
  startPostgresServer,
  startPostgresStandby,
} from "./lib/postgres/server.ts";
export type { PostgresServer, PostgresServerOptions } from "./lib/postgres/server.ts";

/** An empty schema of its own. */
export interface TestDatabase {
  /** Opens the schema, with `?schema=` in the form that `openDatabase` reads. */
  readonly url: string;
  readonly schema: string;
  /** The server's own URL, for a test that looks at it from the side. */
  readonly serverUrl: string;
  /** Drops the schema, and those whose names begin with its name. */
  drop(): Promise<void>;
}

let server: Promise<string> | undefined;

/** The URL of the run's server, which the first caller starts. Works in any worker or child. */
export function testPostgresUrl(): Promise<string> {
  server ??= askForServer();
  return server;
}

/** Creates an empty schema in the run's server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = await testPostgresUrl();
  const schema = `test_${randomBytes(8).toString("hex")}`;
  await withConnection(serverUrl, (sql) => sql`create schema ${sql(schema)}`);
  const url = new URL(serverUrl);
  url.searchParams.set("schema", schema);
  return { url: url.href, schema, serverUrl, drop: () => drop(serverUrl, schema) };
}

async function drop(serverUrl: string, schema: string): Promise<void> {
  await withConnection(serverUrl, async (sql) => {
    const found = await sql<{ nspname: string }[]>`
      select nspname from pg_namespace where starts_with(nspname, ${schema})`;
    for (const { nspname } of found) {
      // oxlint-disable-next-line eslint/no-await-in-loop -- one schema, seldom two
      await sql`drop schema ${sql(nspname)} cascade`;
    }
  });
}

async function withConnection(
  url: string,
  work: (sql: postgres.Sql) => PromiseLike<unknown>,
): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

async function askForServer(): Promise<string> {
  const [port, word] = process.env[socketVariable]?.split(" ") ?? [];
  if (port === undefined || word === undefined) {
    throw new Error("Tests with PostgreSQL run under vitest; programs use startPostgresServer.");
  }
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(word);
  const answer: unknown = JSON.parse(await text(socket));
  if (typeof answer === "object" && answer !== null && "url" in answer) return String(answer.url);
  throw new Error(`PostgreSQL could not be started: ${JSON.stringify(answer)}`);
}
