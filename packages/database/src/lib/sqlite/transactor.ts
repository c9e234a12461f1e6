/** The writer's transactions on SQLite. */
import { StoreError } from "@store/identity";
import type { Connection, ResultMode } from "../connection.ts";
import { assertUsable, type Migration, type SchemaState } from "../migrations.ts";
import { sqliteTables } from "./schema.ts";
import { type SqliteConnection, patiently } from "./connection.ts";
import { sqliteSql } from "./session.ts";
import type { Sql } from "../sql.ts";
import type { Tables } from "../tables.ts";
import type { Transactor } from "../transactor.ts";

/** `BEGIN IMMEDIATE` is the lock: no other connection of any process can write until COMMIT. */
export class SqliteTransactor implements Transactor, Connection {
  readonly tables: Tables = sqliteTables;
  readonly #connection: SqliteConnection;
  readonly #migrations: readonly Migration[];
  readonly #lockTimeoutMs: number;
  readonly #onEnd: () => void;
  #saved = false;

  constructor(options: {
    connection: SqliteConnection;
    migrations: readonly Migration[];
    lockTimeoutMs: number;
    onEnd: () => void;
  }) {
    this.#connection = options.connection;
    this.#migrations = options.migrations;
    this.#lockTimeoutMs = options.lockTimeoutMs;
    this.#onEnd = options.onEnd;
  }

  /** The transactor itself, so that no statement runs outside of its transaction. */
  get connection(): Connection {
    return this;
  }

  /**
   * A full or failing disk makes SQLite roll back the whole transaction by itself; a statement
   * after that would be committed on its own. So this is looked at right before a statement runs,
   * after any turn that others were given.
   */
  execute(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    const turn = this.#connection.turn();
    if (turn !== undefined) return turn.then(() => this.#executeNow(text, parameters, mode));
    return this.#executeNow(text, parameters, mode);
  }

  #executeNow(text: string, parameters: readonly unknown[], mode: ResultMode): Promise<unknown> {
    if (!this.#connection.inTransaction) return Promise.reject(rolledBack());
    return this.#connection.executeNow(text, parameters, mode);
  }

  async begin(): Promise<void> {
    this.#saved = false;
    await patiently(
      () => this.#connection.run("BEGIN IMMEDIATE", [], "changes"),
      this.#lockTimeoutMs,
    );
    assertUsable(schemaStateOf(this.#connection, this.#migrations), this.#migrations);
  }

  confirmBegin(): Promise<boolean> {
    return Promise.resolve(true);
  }

  mayBeginAgain(): boolean {
    return false;
  }

  mayRunAgain(): boolean {
    return false;
  }

  refusal(): undefined {
    return undefined;
  }

  bind(connection: Connection): Sql {
    return sqliteSql(connection);
  }

  async savepoint(): Promise<void> {
    if (this.#saved) this.#run("RELEASE command");
    this.#run("SAVEPOINT command");
    this.#saved = true;
  }

  async rollbackToSavepoint(): Promise<void> {
    if (!this.#connection.inTransaction) throw rolledBack();
    this.#run("ROLLBACK TO command");
  }

  async notify(): Promise<void> {
    // Nobody listens on SQLite: readers poll the head.
  }

  async commit(): Promise<void> {
    if (!this.#connection.inTransaction) throw rolledBack();
    this.#run("COMMIT");
    this.#onEnd();
  }

  async rollback(): Promise<void> {
    try {
      // A full or failing disk may have made SQLite roll back already.
      if (this.#connection.inTransaction) this.#run("ROLLBACK");
    } catch {
      // Nothing was committed in any case; the next BEGIN meets whatever is wrong.
    }
    this.#onEnd();
  }

  #run(text: string): void {
    this.#connection.runMapped(text);
  }
}

function rolledBack(): StoreError {
  return new StoreError(
    "database_unavailable",
    "SQLite gave up the transaction; nothing of it was committed.",
  );
}

/** The newest applied migration: 0 for an empty database. */
function schemaVersionOf(connection: SqliteConnection): number {
  if (!hasMigrationsTable(connection)) return 0;
  const rows = connection.runMapped("SELECT max(version) FROM schema_migrations", "rows");
  const version: unknown = Array.isArray(rows) && Array.isArray(rows[0]) ? rows[0][0] : undefined;
  if (version === null) return 0;
  if (typeof version === "number") return version;
  throw new StoreError("internal", "The record of migrations cannot be read.");
}

/** The same, with the oldest code that works with a schema that is newer than this code. */
export function schemaStateOf(
  connection: SqliteConnection,
  known: readonly Migration[],
): SchemaState {
  const version = schemaVersionOf(connection);
  if (version <= known.length || !hasCompatibleFrom(connection)) {
    return { version, usableFrom: version };
  }
  const [row] = connection.all(
    "SELECT max(coalesce(compatible_from, version)) AS oldest FROM schema_migrations " +
      "WHERE version > ?",
    known.length,
  );
  return { version, usableFrom: Number(row?.["oldest"] ?? version) };
}

/** The column is younger than its table. */
export function hasCompatibleFrom(connection: SqliteConnection): boolean {
  const rows = connection.all(
    "SELECT 1 FROM pragma_table_info('schema_migrations') WHERE name = 'compatible_from'",
  );
  return rows.length > 0;
}

function hasMigrationsTable(connection: SqliteConnection): boolean {
  const rows = connection.runMapped(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'",
    "rows",
  );
  return Array.isArray(rows) && rows.length > 0;
}
