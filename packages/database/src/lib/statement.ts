/** Hot statements: built once, run many times. */
import { StoreError } from "@store/identity";
import type { Placeholder } from "drizzle-orm";
import { CompiledQuery, parameter } from "./compiled-query.ts";
import type { Connection } from "./connection.ts";
import type { Query, Sql } from "./sql.ts";
import type { Tables } from "./tables.ts";
import type { Database } from "./types.ts";

/** The parameters of a statement, by name. `null` is a value; `undefined` is refused. */
export type StatementValues = Readonly<Record<string, unknown>>;

/** Names a parameter; annotate it to have the values checked, as `StatementParameters<{ id: string }>`. */
export interface StatementParameters<Values extends StatementValues = StatementValues> {
  <Name extends keyof Values & string>(name: Name): Placeholder<Name, Values[Name]>;
}

/** A statement that was built once. Runs on any `Sql` of any open database. */
export type Statement<Values extends StatementValues, Result> = (
  sql: Sql,
  values: Values,
) => Promise<Result>;

interface Handle {
  readonly connection: Connection;
  readonly dialect: Database["dialect"];
  readonly tables: Tables;
}

const handles = new WeakMap<Sql, Handle>();

/** Tells {@link statement} where statements of `sql` run. */
export function bindHandle(sql: Sql, handle: Handle): void {
  handles.set(sql, handle);
}

/**
 * Builds a query once for each dialect and runs it with other values each time, without building
 * its text again: three to ten times faster than the builder.
 *
 * ```ts
 * const tagOf = statement((sql, t, p: StatementParameters<{ tag: string }>) =>
 *   sql.select().from(t.tags).where(eq(t.tags.tag, p("tag"))));
 * const rows = await tagOf(tx.sql, { tag: "stable" });
 * ```
 */
export function statement<Result, Values extends StatementValues = StatementValues>(
  build: (sql: Sql, tables: Tables, parameters: StatementParameters<Values>) => Query<Result>,
): Statement<Values, Result> {
  const compiledFor = new Map<Database["dialect"], CompiledQuery>();
  return async (sql, values) => {
    const handle = handles.get(sql);
    if (handle === undefined) {
      throw new StoreError("internal", "A statement ran on something that is no open database.");
    }
    let compiled = compiledFor.get(handle.dialect);
    if (compiled === undefined) {
      compiled = compile(build(sql, handle.tables, parameter));
      compiledFor.set(handle.dialect, compiled);
    }
    return (await compiled.run(handle.connection, values)) as Result;
  };
}

function compile(query: object): CompiledQuery {
  if (!("prepare" in query) || typeof query.prepare !== "function") {
    throw new StoreError("internal", "A statement must build a query.");
  }
  const prepared: unknown = Reflect.apply(query.prepare, query, ["statement"]);
  if (typeof prepared === "object" && prepared !== null && "compiled" in prepared) {
    if (prepared.compiled instanceof CompiledQuery) return prepared.compiled;
  }
  throw new StoreError("internal", "A statement was built on something that is no open database.");
}
