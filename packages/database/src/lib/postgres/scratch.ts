/** Scratch space on PostgreSQL: a schema of its own. */
import { randomBytes } from "node:crypto";
import { getTableName } from "drizzle-orm";
import { textInside } from "./index-statements.ts";
import type { Migration } from "../migrations.ts";
import type { PostgresSessionConnection } from "./connection.ts";
import { type PostgresServer, withoutLimit } from "./server.ts";
import { postgresSql } from "./session.ts";
import { advisoryKey } from "./url.ts";
import { postgresTables } from "./schema.ts";
import type { ScratchSpace } from "../scratch.ts";
import type { Tables } from "../tables.ts";

const infix = "_scratch_";

/** How a scratch space is opened. */
export interface PostgresScratchOptions {
  readonly server: PostgresServer;
  readonly migrations: readonly Migration[];
  readonly lockTimeoutMs: number;
}

/** Creates an empty copy of the schema. The user needs the right to create schemas. */
export async function openPostgresScratch(options: PostgresScratchOptions): Promise<ScratchSpace> {
  const live = options.server.place.schema;
  const schema = `${live}${infix}${randomBytes(4).toString("hex")}`;
  const session = await options.server.open(withoutLimit(options.lockTimeoutMs), schema);
  try {
    await sweepScratchSchemas(session, live);
    // Held for as long as the session lives: it tells that this space is in use.
    await session.batch(`SELECT pg_advisory_lock(${advisoryKey(schema)})`);
    await session.batch(`CREATE SCHEMA "${schema}"`);
    for (const migration of options.migrations) await session.batch(textInside(migration));
    for (const table of Object.values(postgresTables)) {
      await session.batch(`ALTER TABLE ${getTableName(table)} SET UNLOGGED`);
    }
  } catch (error) {
    await dropSchema(session, schema);
    await session.close();
    throw error;
  }
  return new PostgresScratchSpace(session, schema, live);
}

class PostgresScratchSpace implements ScratchSpace {
  readonly connection: PostgresSessionConnection;
  readonly sql;
  readonly tables: Tables = postgresTables;
  readonly #schema: string;
  readonly #live: string;

  constructor(connection: PostgresSessionConnection, schema: string, live: string) {
    this.connection = connection;
    this.sql = postgresSql(connection);
    this.#schema = schema;
    this.#live = live;
  }

  name(copy: "live" | "rebuilt", table: string): string {
    return `"${copy === "live" ? this.#live : this.#schema}".${table}`;
  }

  parameter(index: number): string {
    return `$${index + 1}`;
  }

  async begin(): Promise<void> {
    await this.connection.batch("BEGIN; SET LOCAL synchronous_commit = off");
  }

  async beginHolding(): Promise<void> {
    // Rows replayed so far are known to the planner only once they have been counted.
    for (const table of Object.values(postgresTables)) {
      await this.connection.batch(`ANALYZE ${getTableName(table)}`);
    }
    await this.connection.batch(
      "BEGIN ISOLATION LEVEL READ COMMITTED; " +
        `SELECT 1 FROM "${this.#live}".log_head WHERE id = 1 FOR UPDATE`,
    );
  }

  async commit(): Promise<void> {
    await this.connection.batch("COMMIT");
  }

  async rollback(): Promise<void> {
    if (!this.connection.isLost) await this.connection.batch("ROLLBACK");
  }

  async drop(): Promise<void> {
    await dropSchema(this.connection, this.#schema);
    await this.connection.close();
  }
}

/** Removes the schemas of spaces whose session is gone. */
async function sweepScratchSchemas(
  session: PostgresSessionConnection,
  live: string,
): Promise<void> {
  const { rows } = await session.batch(
    `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, '${live}${infix}')`,
  );
  for (const [name] of rows) {
    const schema = String(name);
    const key = advisoryKey(schema);
    const locked = await session.batch(`SELECT pg_try_advisory_lock(${key})`);
    if (locked.rows[0]?.[0] !== true) continue;
    await dropSchema(session, schema);
    await session.batch(`SELECT pg_advisory_unlock(${key})`);
  }
}

/** A lost session leaves its schema to the next sweep. */
async function dropSchema(session: PostgresSessionConnection, schema: string): Promise<void> {
  if (session.isLost) return;
  await session.batch(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
}
