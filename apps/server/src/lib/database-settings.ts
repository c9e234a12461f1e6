import type { DatabaseOptions } from "@store/database";

import type { SettingReader } from "./setting-reader.ts";

/** How PostgreSQL is used, with the meaning of each; SQLite needs none of it. */
export const databaseSettingNames = {
  STORE_DATABASE_READERS: "How many connections of a process read, on PostgreSQL.",
  STORE_DATABASE_STATEMENT_SECONDS: "How long one read of the database may take, on PostgreSQL.",
  STORE_DATABASE_CONNECT_SECONDS: "How long connecting to PostgreSQL may take.",
  STORE_DATABASE_REPLICA_URLS: "Replicas of PostgreSQL that lists are read from, with commas.",
  STORE_DATABASE_REPLICA_LAG_SECONDS: "How far behind a replica may be that is read from.",
} as const;

/** What of the options of a database is set from outside. */
export type DatabaseSettings = Required<
  Pick<
    DatabaseOptions,
    "readerConnections" | "statementTimeoutMs" | "connectTimeoutMs" | "replicaLagMs"
  >
> & {
  /** Hold passwords, perhaps: **secrets**. */
  readonly replicaUrl: readonly string[];
};

/** @throws {StoreError} `invalid_argument` naming the setting */
export function readDatabaseSettings(read: SettingReader): DatabaseSettings {
  return {
    readerConnections: read.integer("STORE_DATABASE_READERS", {
      otherwise: 8,
      least: 1,
      most: 1_000,
    }),
    statementTimeoutMs: read.seconds("STORE_DATABASE_STATEMENT_SECONDS", 30),
    connectTimeoutMs: read.seconds("STORE_DATABASE_CONNECT_SECONDS", 10),
    replicaUrl: read.list("STORE_DATABASE_REPLICA_URLS"),
    replicaLagMs: read.seconds("STORE_DATABASE_REPLICA_LAG_SECONDS", 5),
  };
}
