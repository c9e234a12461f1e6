import type { Databases } from "./databases.ts";

/** What a table or an index takes on the disk, dead space included. */
export interface Weight {
  readonly table: string;
  /** Undefined where it is the table itself. */
  readonly index: string | undefined;
  readonly sizeBytes: number;
}

/** Weighs what there is in a schema, after it was vacuumed. */
export async function postgresWeights(databases: Databases, schema: string): Promise<Weight[]> {
  const client = await databases.postgresClient({ schema });
  await client.unsafe("VACUUM (ANALYZE)");
  const weights = await client.unsafe<{ table: string; index: string | null; size: string }[]>(
    `SELECT relname AS table, NULL AS index, pg_table_size(oid) AS size
       FROM pg_class WHERE relkind = 'r' AND relnamespace = $1::regnamespace
     UNION ALL
     SELECT owner.relname, part.relname, pg_relation_size(part.oid)
       FROM pg_index JOIN pg_class part ON part.oid = indexrelid
       JOIN pg_class owner ON owner.oid = indrelid
       WHERE owner.relnamespace = $1::regnamespace`,
    [schema],
  );
  await client.end();
  return weights.map(({ table, index, size }) => ({
    table,
    index: index ?? undefined,
    sizeBytes: Number(size),
  }));
}

/** The same of a SQLite database, whose primary keys of one integer are the tables themselves. */
export function sqliteWeights(databases: Databases, name: string): Weight[] {
  const database = databases.openSqlite(name);
  const rows = database
    .prepare(
      `SELECT tbl_name AS owner, name, type, (SELECT sum(pgsize) FROM dbstat
         WHERE dbstat.name = sqlite_schema.name) AS size
       FROM sqlite_schema WHERE type IN ('table', 'index')`,
    )
    .all();
  database.close();
  return rows.map(({ owner, name: own, type, size }) => ({
    table: String(owner),
    index: type === "index" ? String(own) : undefined,
    sizeBytes: Number(size ?? 0),
  }));
}
