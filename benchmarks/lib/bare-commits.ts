import { concurrently } from "./rounds.ts";
import type { Databases, Dialect } from "./databases.ts";

/** Commits a row of 256 bytes each, by the bare driver, `width` connections at a time. */
export interface BareCommits {
  commit(count: number): Promise<void>;
  close(): Promise<void>;
}

const row = new Uint8Array(256).fill(0x5a);

export async function openBareCommits(
  dialect: Dialect,
  databases: Databases,
  width: number,
): Promise<BareCommits> {
  return dialect === "sqlite" ? openSqlite(databases) : await openPostgres(databases, width);
}

function openSqlite(databases: Databases): BareCommits {
  const database = databases.openSqlite("bare_commits");
  database.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT");
  const insert = database.prepare("INSERT INTO rows (content) VALUES (?)");
  return {
    commit: async (count) => {
      for (let index = 0; index < count; index += 1) insert.run(row);
    },
    close: async () => database.close(),
  };
}

async function openPostgres(databases: Databases, width: number): Promise<BareCommits> {
  const client = await databases.postgresClient({ connections: width });
  await client.unsafe(
    `CREATE TABLE rows_${width} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content bytea NOT NULL)`,
  );
  const insert = `INSERT INTO rows_${width} (content) VALUES ($1)`;
  return {
    commit: (count) =>
      concurrently(count, width, () => client.unsafe(insert, [row], { prepare: true })),
    close: () => client.end(),
  };
}
