import { startPostgres, usePostgres } from "./postgres.ts";

/** Vitest's global set-up: one PostgreSQL server for the whole run, a schema for each test. */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await startPostgres();
  usePostgres(server.url);
  return () => server.stop();
}
