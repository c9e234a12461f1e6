import { openDatabase } from "@store/database";
import { openRegistry } from "@store/registry";
import { copyInstance } from "@store/registry/instance-copy";
import { createMemoryBackend } from "@store/storage/memory";

import { Databases, type Dialect, dialectNames } from "../lib/databases.ts";
import type { ProgramContext } from "../lib/program.ts";
import { publishAll } from "../lib/published.ts";
import type { Report } from "../lib/report.ts";
import { postgresWeights, sqliteWeights, type Weight } from "../lib/weights.ts";

export const title = "what a row weighs on the disk, with its indexes";

const what = { filesEach: 10, newEach: 3, sizeBytes: 64, versionsEach: 50 } as const;

/** Tables that grow with what is kept. */
const grown = [
  "events",
  "artifact_packages",
  "artifact_files",
  "objects",
  "storage_locations",
  "package_names",
  "name_words",
  "tags",
  "retention_state",
];

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  await using databases = new Databases(scratch);
  const packages = quick ? 1_000 : 20_000;
  const backends = { primary: createMemoryBackend() };
  const sqlite = await openDatabase(await databases.url("sqlite", "weighed"));
  const registry = await openRegistry({ database: sqlite, backends, actor: "benchmark" });
  await publishAll(registry, { ...what, packages });
  await registry.close();
  const postgres = await openDatabase(await databases.url("postgres", "weighed"));
  await copyInstance({
    from: { database: sqlite, backends },
    to: { database: postgres, backends },
  });
  await sqlite.close();
  await postgres.close();

  const counts = rowCounts(databases);
  weighEvents(report, databases);
  weigh(report, "postgres", await postgresWeights(databases, "weighed"), counts);
  weigh(report, "sqlite", sqliteWeights(databases, "weighed"), counts);
  report.note(
    `${packages} packages of ${what.filesEach} files, ${what.newEach} with new bytes, ` +
      `${what.versionsEach} versions of a name; recorded one by one on SQLite and copied to PostgreSQL. Bytes a row.`,
  );
}

function weigh(
  report: Report,
  dialect: Dialect,
  weights: readonly Weight[],
  counts: ReadonlyMap<string, number>,
): void {
  for (const table of grown) {
    const rows = counts.get(table) ?? 0;
    const own = weights.filter((weight) => weight.table === table);
    const add = (name: string, sizeBytes: number) =>
      report.add({
        name: `${dialectNames[dialect]}: ${name}`,
        unit: "B",
        ours: [sizeBytes / rows],
        floors: {},
      });
    const total = own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    add(`${table}, ${rows} rows, all in all`, total);
    for (const { index, sizeBytes } of own) {
      if (sizeBytes / rows >= 1) add(`${table}: ${index ?? "the table"}`, sizeBytes);
    }
  }
}

/** Header and payload of an event of each type that there are many of. */
function weighEvents(report: Report, databases: Databases): void {
  const database = databases.openSqlite("weighed");
  const rows = database
    .prepare(
      `SELECT type, avg(length(header)) AS header, avg(length(payload)) AS payload
         FROM events GROUP BY type HAVING count(*) >= 100 ORDER BY type`,
    )
    .all();
  database.close();
  for (const { type, header, payload } of rows) {
    const add = (part: string, sizeBytes: number) =>
      report.add({ name: `${String(type)}: ${part}`, unit: "B", ours: [sizeBytes], floors: {} });
    add("header", Number(header));
    add("payload", Number(payload));
  }
}

function rowCounts(databases: Databases): Map<string, number> {
  const database = databases.openSqlite("weighed");
  const counts = grown.map((table): [string, number] => {
    const row = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get();
    return [table, Number(row?.["rows"])];
  });
  database.close();
  return new Map(counts);
}
