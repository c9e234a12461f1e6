import type { TableName } from "@store/database";

/**
 * What belongs to an instance wherever it lives. The other operational tables belong to a place or to
 * a process: leases, uploads that are staged at a backend, and how far work has come there.
 */
export const instanceTables = [
  "idempotencyKeys",
  "users",
  "sessions",
  "apiTokens",
  "signingKeys",
  "accessRefusals",
] as const satisfies readonly TableName[];
