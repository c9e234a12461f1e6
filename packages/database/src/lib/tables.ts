/** The one shape of tables that both dialects share, and which of them are what. */
import type { NeutralTables } from "./column-types.ts";
import type { sqliteTables } from "./sqlite/schema.ts";

/** Every table, by its name in code. Columns and rows are the same in both dialects. */
export type Tables = NeutralTables<typeof sqliteTables>;

/** The name of a table in code. */
export type TableName = keyof Tables;

/** A row as it is read. */
export type Row<Name extends TableName> = Tables[Name]["$inferSelect"];

/** A row as it is inserted. */
export type NewRow<Name extends TableName> = Tables[Name]["$inferInsert"];

/** The log itself: what everything else is rebuilt from. */
export const logTables = ["events", "logHead"] as const satisfies readonly TableName[];

/** Views: written by projecting events only, and rebuilt by replay. */
export const viewTables = [
  "artifactPackages",
  "artifactFiles",
  "objects",
  "storageLocations",
  "tags",
  "packageNames",
  "retentionClasses",
  "retentionState",
  "retentionHolds",
  "metadataSchemas",
  "nameWords",
  "storageBackends",
] as const satisfies readonly TableName[];

/** Operational tables: untouched by replay, and copied by a backup. */
export const operationalTables = [
  "objectLeases",
  "idempotencyKeys",
  "users",
  "sessions",
  "apiTokens",
  "signingKeys",
  "accessRefusals",
  "uploadSessions",
  "workPositions",
] as const satisfies readonly TableName[];

/** The name of a view. */
export type ViewTableName = (typeof viewTables)[number];
