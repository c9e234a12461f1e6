/** What a database says of its schema, on PostgreSQL and on SQLite. */
import type { AppliedMigration, Migration, SchemaState } from "./migrations.ts";

/** Rows of one statement without parameters. */
type Read = (text: string) => Promise<unknown[][]>;

const newest = "SELECT max(version) FROM schema_migrations";

/**
 * The newest version comes first and alone, as most batches ask no more. `compatible_from` is a
 * younger column than its table.
 */
export async function postgresSchemaOf(
  read: Read,
  known: readonly Migration[],
): Promise<SchemaState> {
  const [[isThere] = []] = await read("SELECT to_regclass('schema_migrations') IS NOT NULL");
  if (isThere !== true) return { version: 0, usableFrom: 0 };
  const [[version] = []] = await read(newest);
  return await postgresStateAt(read, Number(version ?? 0), known);
}

/** The same where the newest version has been read already. */
export async function postgresStateAt(
  read: Read,
  version: number,
  known: readonly Migration[],
): Promise<SchemaState> {
  if (version <= known.length) return { version, usableFrom: version };
  const [[usableFrom] = []] = await read(
    "SELECT max(coalesce((to_jsonb(m) ->> 'compatible_from')::integer, version)) " +
      `FROM schema_migrations m WHERE version > ${known.length}`,
  );
  return { version, usableFrom: Number(usableFrom ?? version) };
}

/** Rows of `schema_migrations` as both dialects give them: version, name and digest. */
export function appliedOf(rows: readonly unknown[][]): AppliedMigration[] {
  return rows.map(([version, name, sha256]) => ({
    version: Number(version),
    name: String(name),
    sha256: String(sha256),
  }));
}
