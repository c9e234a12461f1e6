/**
 * Queries, written once for both databases: the builders of drizzle that PostgreSQL and SQLite
 * share, over drizzle's neutral types. What only one of them has cannot be said here.
 */
import type {
  Column,
  InferInsertModel,
  InferSelectModel,
  Placeholder,
  SQL,
  SQLWrapper,
  Subquery,
  Table,
} from "drizzle-orm";
import type { SelectedFields, SelectedFieldsFlat } from "drizzle-orm/operations";
import type {
  AppendToNullabilityMap,
  AppendToResult,
  BuildSubquerySelection,
  GetSelectTableName,
  GetSelectTableSelection,
  JoinNullability,
  SelectMode,
  SelectResult,
  SelectResultFields,
} from "drizzle-orm/query-builders/select.types";
import type { ColumnsSelection } from "drizzle-orm/sql/sql";

/** How many rows a statement without `returning` wrote. */
export interface Changes {
  readonly changes: number;
}

/** A statement that runs when it is awaited, once. */
export interface Query<T> extends PromiseLike<T> {
  catch<R = never>(onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R>;
  finally(onFinally?: (() => void) | null): Promise<T>;
  /** Its text and parameters, without running it. */
  toSQL(): { readonly sql: string; readonly params: readonly unknown[] };
}

/** What a query may read from. */
export type Source = Table | Subquery;

type Fields = SelectedFields<Column, Table>;
type FlatFields = SelectedFieldsFlat<Column>;
type Nullability = Record<string, JoinNullability>;
type Ordering = Column | SQL | SQL.Aliased;
type NotNull<S extends Source> = Record<GetSelectTableName<S>, "not-null">;

/** `select` before its `from`. */
export interface SelectFrom<F extends Fields | undefined> {
  from<S extends Source>(
    source: S,
  ): Select<
    GetSelectTableName<S>,
    F extends undefined ? GetSelectTableSelection<S> : F,
    F extends undefined ? "single" : "partial",
    NotNull<S>
  >;
}

type Joined<
  Name extends string | undefined,
  Selection,
  Mode extends SelectMode,
  Nulls extends Nullability,
  S extends Source,
  Kind extends "inner" | "left",
> = Select<
  Name,
  AppendToResult<Name, Selection, GetSelectTableName<S>, JoinedFields<S>, Mode>,
  Mode extends "partial" ? "partial" : "multiple",
  AppendToNullabilityMap<Nulls, GetSelectTableName<S>, Kind>
>;

type JoinedFields<S extends Source> =
  GetSelectTableSelection<S> extends infer F extends Fields ? F : never;

/** A select; rows have the shape of its fields, nullable where a left join made them so. */
export interface Select<
  Name extends string | undefined,
  Selection,
  Mode extends SelectMode,
  Nulls extends Nullability,
>
  extends Query<SelectResult<Selection, Mode, Nulls>[]>, SQLWrapper {
  innerJoin<S extends Source>(
    source: S,
    on: SQL | undefined,
  ): Joined<Name, Selection, Mode, Nulls, S, "inner">;
  leftJoin<S extends Source>(
    source: S,
    on: SQL | undefined,
  ): Joined<Name, Selection, Mode, Nulls, S, "left">;
  where(condition: SQL | undefined): this;
  groupBy(...columns: Ordering[]): this;
  having(condition: SQL | undefined): this;
  orderBy(...columns: Ordering[]): this;
  limit(count: number | Placeholder): this;
  /** The query as a source of another one. */
  as<Alias extends string>(
    alias: Alias,
  ): Selection extends ColumnsSelection ? SubqueryOf<Alias, Selection, Nulls> : never;
}

type SubqueryOf<
  Alias extends string,
  Selection extends ColumnsSelection,
  Nulls extends Nullability,
> = Subquery<Alias, Renamed<BuildSubquerySelection<Selection, Nulls>, Alias>> &
  Renamed<BuildSubquerySelection<Selection, Nulls>, Alias>;

/** Columns belong to the subquery's alias from now on. */
type Renamed<Selection, Alias extends string> = {
  [K in keyof Selection]: Selection[K] extends Column
    ? Column<Omit<Selection[K]["_"], "tableName"> & { tableName: Alias }>
    : Selection[K];
};

/** A value, an expression, or a placeholder of a {@link statement}. */
export type Value<T> = T | SQL | Placeholder;

/** What a row is inserted from. */
export type InsertValues<T extends Table> = {
  [K in keyof InferInsertModel<T>]: Value<InferInsertModel<T>[K]>;
};

/** What a row is updated from. */
export type UpdateValues<T extends Table> = {
  [K in keyof InferSelectModel<T>]?: Value<InferSelectModel<T>[K]> | undefined;
};

/** A statement that writes, and can return the rows that it wrote. */
export interface Returning<T extends Table> {
  returning(): Query<InferSelectModel<T>[]>;
  returning<F extends FlatFields>(fields: F): Query<SelectResultFields<F>[]>;
}

/** `insert` before its `values`. */
export interface InsertInto<T extends Table> {
  values(values: InsertValues<T> | InsertValues<T>[]): Insert<T>;
}

/** An insert. */
export interface Insert<T extends Table> extends Query<Changes>, Returning<T> {
  onConflictDoNothing(config?: { target?: Column | Column[]; where?: SQL }): this;
  onConflictDoUpdate(config: {
    target: Column | Column[];
    targetWhere?: SQL;
    set: UpdateValues<T>;
    setWhere?: SQL;
  }): this;
}

/** `update` before its `set`. */
export interface UpdateTable<T extends Table> {
  set(values: UpdateValues<T>): Write<T>;
}

/** An update or a delete. Without `where` it takes every row. */
export interface Write<T extends Table> extends Query<Changes>, Returning<T> {
  where(condition: SQL | undefined): this;
}

/** What both databases can be asked. */
export interface Sql {
  select(): SelectFrom<undefined>;
  select<F extends Fields>(fields: F): SelectFrom<F>;
  selectDistinct(): SelectFrom<undefined>;
  selectDistinct<F extends Fields>(fields: F): SelectFrom<F>;
  insert<T extends Table>(table: T): InsertInto<T>;
  update<T extends Table>(table: T): UpdateTable<T>;
  delete<T extends Table>(table: T): Write<T>;
}
