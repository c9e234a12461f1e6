/** Opens a database by its URL; the driver of the other dialect is never loaded. */
import { fileURLToPath } from "node:url";
import { StoreError } from "@store/identity";
import type { Database, DatabaseOptions } from "./types.ts";

/**
 * Opens `sqlite:<path>`, `sqlite::memory:`, or `postgres://…` (`postgresql://…`). Relative paths
 * start at the working directory; the file and its folder are created where they are not there.
 * An empty database has to be migrated before it can be written.
 *
 * @throws StoreError `invalid_argument` for another URL, `schema_too_new`, `permission_denied`,
 * `storage_full`, `database_unavailable`.
 */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  const lockTimeoutMs = options.lockTimeoutMs ?? 10_000;
  const queueLimit = options.queueLimit ?? 65_536;
  const commandTimeoutMs = options.commandTimeoutMs ?? 300_000;
  const { onCommit } = options;
  const common = { lockTimeoutMs, queueLimit, commandTimeoutMs, onCommit };
  const { replicaUrl = [] } = options;
  const replicaUrls = typeof replicaUrl === "string" ? [replicaUrl] : replicaUrl;
  if (url.startsWith("sqlite:")) {
    if (replicaUrls.length > 0) throw noReplicas();
    const batchLimit = options.batchLimit ?? 256;
    const { openSqlite } = await import("./sqlite/database.ts");
    return await openSqlite(sqlitePath(url), { ...common, batchLimit });
  }
  if (/^postgres(?:ql)?:/.test(url)) {
    const batchLimit = options.batchLimit ?? 64;
    const { openPostgres } = await import("./postgres/database.ts");
    return await openPostgres(url, {
      ...common,
      batchLimit,
      readerConnections: options.readerConnections ?? 8,
      readerWaitLimit: options.readerWaitLimit ?? 4_096,
      readerWaitTimeoutMs: options.readerWaitTimeoutMs ?? 10_000,
      statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
      writeStatementTimeoutMs: options.writeStatementTimeoutMs ?? 60_000,
      answerGraceMs: options.answerGraceMs ?? 5_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      replicaUrls,
      replicaLagMs: options.replicaLagMs ?? 5_000,
    });
  }
  throw new StoreError(
    "invalid_argument",
    "A database URL begins with sqlite:, postgres:// or postgresql://.",
  );
}

function noReplicas(): StoreError {
  return new StoreError("invalid_argument", "SQLite has no replicas; leave their URL out.");
}

function sqlitePath(url: string): string {
  const path = url.slice("sqlite:".length);
  if (path === "") {
    throw new StoreError(
      "invalid_argument",
      "The database URL sqlite: lacks a path, as in sqlite:./data/store.db.",
    );
  }
  return path.startsWith("///") ? fileURLToPath(`file:${path}`) : path;
}
