/**
 * What drizzle's two families of columns have in common: only what a query needs, without the
 * dialect. `Tables` is made of these, so code written against it cannot use what one database
 * lacks.
 */
import type { Column, Table } from "drizzle-orm";
import type { ColumnType } from "drizzle-orm/column-builder";
import type { InferTableColumnsModels } from "drizzle-orm/table";

/** A column of either dialect: its name, its value's type, and whether it may be left out. */
export type NeutralColumn<C extends Column> = Column<{
  name: C["_"]["name"];
  tableName: C["_"]["tableName"];
  dataType: ColumnType;
  data: C["_"]["data"];
  driverParam: unknown;
  notNull: C["_"]["notNull"];
  hasDefault: C["_"]["hasDefault"];
  isPrimaryKey: boolean;
  isAutoincrement: boolean;
  hasRuntimeDefault: boolean;
  enumValues: string[] | undefined;
  generated: undefined;
  identity: undefined;
}>;

/** The columns of a table of either dialect. */
export type NeutralColumns<T extends Table> = {
  [K in keyof T["_"]["columns"]]: NeutralColumn<T["_"]["columns"][K]>;
};

/** A table of either dialect: its columns, its row and what an insert takes. */
export type NeutralTable<T extends Table> = Table<{
  name: T["_"]["name"];
  schema: string | undefined;
  columns: NeutralColumns<T>;
  dialect: string;
  isAlias: boolean;
}> &
  NeutralColumns<T> &
  InferTableColumnsModels<NeutralColumns<T>>;

/** A set of tables of either dialect. */
export type NeutralTables<T extends Record<string, Table>> = {
  readonly [K in keyof T]: NeutralTable<T[K]>;
};
