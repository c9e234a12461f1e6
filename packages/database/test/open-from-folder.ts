/** Code of another version: the same, with migrations of its own. */
import type { Database } from "../src/index.ts";
import { openPostgres } from "../src/lib/postgres/database.ts";
import { openSqlite } from "../src/lib/sqlite/database.ts";

const common = {
  lockTimeoutMs: 10_000,
  queueLimit: 1_000,
  commandTimeoutMs: 60_000,
  batchLimit: 64,
};

/** Opens a database as code would whose migrations are those of `migrationsFolder`. */
export function openFromFolder(url: string, migrationsFolder: URL): Promise<Database> {
  if (url.startsWith("sqlite:")) {
    return openSqlite(url.slice("sqlite:".length), { ...common, migrationsFolder });
  }
  return openPostgres(url, {
    ...common,
    migrationsFolder,
    readerConnections: 4,
    readerWaitLimit: 1_000,
    readerWaitTimeoutMs: 10_000,
    statementTimeoutMs: 30_000,
    writeStatementTimeoutMs: 30_000,
    answerGraceMs: 5_000,
    connectTimeoutMs: 10_000,
    replicaUrls: [],
    replicaLagMs: 5_000,
  });
}
