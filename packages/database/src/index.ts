export {
  differingRows,
  keyColumns,
  type DifferingRow,
  type ReadPlace,
} from "./lib/differing-rows.ts";
export { openDatabase } from "./lib/open.ts";
export type * from "./lib/row-values.ts";
export type * from "./lib/sql.ts";
export { statement } from "./lib/statement.ts";
export type { Statement, StatementParameters, StatementValues } from "./lib/statement.ts";
export type * from "./lib/tables.ts";
export { logTables, operationalTables, viewTables } from "./lib/tables.ts";
export type * from "./lib/types.ts";
