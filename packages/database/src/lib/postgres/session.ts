/** Drizzle's PostgreSQL builders over a {@link Connection}, as for SQLite. */
import type { Query as BuiltQuery } from "drizzle-orm";
import { NoopLogger } from "drizzle-orm/logger";
import { PgAsyncDatabase, PgAsyncPreparedQuery, PgAsyncSession } from "drizzle-orm/pg-core/async";
import { PgDialect, type PreparedQueryConfig } from "drizzle-orm/pg-core";
import { postgresJsCodecs } from "drizzle-orm/postgres-js";
import { StoreError } from "@store/identity";
import { CompiledQuery, mayGenerateMappers, type RowMapper } from "../compiled-query.ts";
import type { Connection } from "../connection.ts";
import { postgresTables } from "./schema.ts";
import type { Sql } from "../sql.ts";
import { bindHandle } from "../statement.ts";

const dialect = new PgDialect({ codecs: postgresJsCodecs, useJitMappers: mayGenerateMappers });
const logger = new NoopLogger();

class PostgresPrepared<T extends PreparedQueryConfig> extends PgAsyncPreparedQuery<T> {
  readonly compiled: CompiledQuery;
  readonly #connection: Connection;

  constructor(connection: Connection, query: BuiltQuery, mapper: RowMapper | undefined) {
    super(unused, query, mapper, "arrays", logger, undefined, undefined, undefined, false);
    this.compiled = new CompiledQuery(query, mapper);
    this.#connection = connection;
  }

  override execute(values?: Record<string, unknown>): Promise<T["execute"]> {
    return this.compiled.run(this.#connection, values);
  }
}

class PostgresSession extends PgAsyncSession {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super(dialect);
    this.#connection = connection;
  }

  override prepareQuery<T extends PreparedQueryConfig>(
    query: BuiltQuery,
    _mode: "arrays" | "objects" | "raw",
    _name: string | boolean,
    mapper?: RowMapper,
  ): PostgresPrepared<T> {
    return new PostgresPrepared(this.#connection, query, mapper);
  }

  override transaction(): never {
    return unused();
  }
}

function unused(): never {
  throw new StoreError("internal", "Transactions belong to the writer; use Database.write.");
}

/** Builders whose statements run on `connection`. */
export function postgresSql(connection: Connection): Sql {
  const database = new PgAsyncDatabase(dialect, new PostgresSession(connection), {});
  // The one cast of this dialect: its builders also know tables of PostgreSQL only.
  const sql = database as unknown as Sql;
  bindHandle(sql, { connection, dialect: "postgres", tables: postgresTables });
  return sql;
}
