import { randomBytes } from "node:crypto";

import postgres from "postgres";

import { testPostgresUrl } from "./postgres.ts";

/** An empty PostgreSQL database of its own, whose connections a test can cut. */
export interface LosableDatabase {
  /** Opens it, in the form that `openDatabase` reads. */
  readonly url: string;
  /** Ends every connection to it, as a server that goes down does; says how many there were. */
  loseConnections(): Promise<number>;
  drop(): Promise<void>;
}

/** Creates a database in the run's server, apart from those of tests that run meanwhile. */
export async function createLosableDatabase(): Promise<LosableDatabase> {
  const serverUrl = await testPostgresUrl();
  const name = `losable_${randomBytes(8).toString("hex")}`;
  const sql = postgres(serverUrl, { max: 1, onnotice: () => undefined });
  await sql`create database ${sql(name)}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async loseConnections() {
      const ended = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
      return ended.length;
    },
    async drop() {
      await sql`drop database ${sql(name)} with (force)`;
      await sql.end();
    },
  };
}
