import type { SQLInputValue } from "node:sqlite";

import type { Databases, Dialect } from "./databases.ts";

/** Runs prepared statements by the bare driver; places for parameters are `?`. */
export interface BareQueries {
  query(text: string, parameters: readonly (string | number)[]): Promise<void>;
  close(): Promise<void>;
}

/** `name` is that of one of these databases. */
export function openBareQueries(
  dialect: Dialect,
  databases: Databases,
  name: string,
): Promise<BareQueries> {
  return dialect === "sqlite" ? openSqlite(databases, name) : openPostgres(databases, name);
}

async function openSqlite(databases: Databases, name: string): Promise<BareQueries> {
  const database = databases.openSqlite(name);
  const statements = new Map<string, ReturnType<typeof database.prepare>>();
  return {
    query: async (text, parameters) => {
      const statement = statements.get(text) ?? database.prepare(text);
      statements.set(text, statement);
      assertFound(statement.all(...(parameters as SQLInputValue[])), text);
    },
    close: async () => database.close(),
  };
}

async function openPostgres(databases: Databases, name: string): Promise<BareQueries> {
  const client = await databases.postgresClient({ schema: name });
  return {
    query: async (text, parameters) => {
      let place = 0;
      const numbered = text.replaceAll("?", () => `$${(place += 1)}`);
      assertFound(await client.unsafe(numbered, [...parameters], { prepare: true }), text);
    },
    close: () => client.end(),
  };
}

function assertFound(rows: readonly unknown[], text: string): void {
  if (rows.length === 0) throw new Error(`Nothing was found: ${text}`);
}
