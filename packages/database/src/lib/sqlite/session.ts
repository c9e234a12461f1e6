/**
 * Drizzle's SQLite builders over a {@link Connection}. Drizzle's own session for `node:sqlite`
 * compiles each statement anew, runs it whenever it is awaited and wraps errors; this one leaves
 * all three to the connection, so that the writer can fence a command off.
 */
import type { Query as BuiltQuery } from "drizzle-orm";
import { nodeSQLiteCodecs } from "drizzle-orm/node-sqlite";
import {
  SQLiteAsyncDatabase,
  SQLiteAsyncPreparedQuery,
  SQLiteAsyncSession,
  SQLiteDialect,
  type SQLiteAsyncPreparedQueryConfig,
  type SQLiteExecuteMethod,
} from "drizzle-orm/sqlite-core";
import { NoopLogger } from "drizzle-orm/logger";
import { StoreError } from "@store/identity";
import { CompiledQuery, mayGenerateMappers, type RowMapper } from "../compiled-query.ts";
import type { Connection } from "../connection.ts";
import { sqliteTables } from "./schema.ts";
import type { Sql } from "../sql.ts";
import { bindHandle } from "../statement.ts";

const dialect = new SQLiteDialect({
  codecs: nodeSQLiteCodecs,
  useJitMappers: mayGenerateMappers,
});
const logger = new NoopLogger();
type Prepared = SQLiteAsyncPreparedQueryConfig & { type: "async" };

class SqlitePrepared extends SQLiteAsyncPreparedQuery<Prepared> {
  readonly compiled: CompiledQuery;
  readonly #connection: Connection;

  constructor(
    connection: Connection,
    query: BuiltQuery,
    method: SQLiteExecuteMethod | undefined,
    mapper: RowMapper | undefined,
  ) {
    const run = unused;
    const executors = { run, all: run, get: run };
    // prettier-ignore
    super("async", method, executors, query, mapper, "arrays", logger, undefined, undefined, undefined, false);
    this.compiled = new CompiledQuery(query, mapper);
    this.#connection = connection;
  }

  override execute(values?: Record<string, unknown>): Promise<unknown> {
    return this.compiled.run(this.#connection, values);
  }

  /** What awaiting an update or a delete calls, with `returning` and without. */
  override all(values?: Record<string, unknown>): Promise<unknown> {
    return this.execute(values);
  }

  override run(values?: Record<string, unknown>): Promise<unknown> {
    return this.execute(values);
  }
}

class SqliteSession extends SQLiteAsyncSession<"async", unknown> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super(dialect, "async");
    this.#connection = connection;
  }

  override prepareQuery(
    query: BuiltQuery,
    _mode: "arrays" | "objects" | "raw",
    _prepare: boolean,
    method?: SQLiteExecuteMethod,
    mapper?: RowMapper,
  ): SqlitePrepared {
    return new SqlitePrepared(this.#connection, query, method, mapper);
  }

  override transaction(): never {
    return unused();
  }
}

function unused(): never {
  throw new StoreError("internal", "Transactions belong to the writer; use Database.write.");
}

/** Builders whose statements run on `connection`. */
export function sqliteSql(connection: Connection): Sql {
  const session = new SqliteSession(connection);
  const database = new SQLiteAsyncDatabase("async", dialect, session, {});
  // The one cast of this dialect: its builders also know tables of SQLite only.
  const sql = database as unknown as Sql;
  bindHandle(sql, { connection, dialect: "sqlite", tables: sqliteTables });
  return sql;
}
