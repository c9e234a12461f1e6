export type * from "./lib/sql.ts";
export type * from "./lib/tables.ts";
export { logTables, operationalTables, viewTables } from "./lib/tables.ts";
export type * from "./lib/types.ts";
