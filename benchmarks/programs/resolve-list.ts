import { openRegistry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";

import { Catalogue } from "../lib/catalogue.ts";
import { openBareQueries } from "../lib/bare-queries.ts";
import { Databases, type Dialect, dialectNames } from "../lib/databases.ts";
import { lookups } from "../lib/lookups.ts";
import type { ProgramContext } from "../lib/program.ts";
import { interleave, secondsOf } from "../lib/rounds.ts";
import { seedPostgres, seedSqlite } from "../lib/seed.ts";
import { quantile } from "../lib/statistics.ts";

export const title = "resolve and list at a million packages, one call at a time";

/** A question that takes so long is asked less often. */
const longestRoundMs = 2_000;

export async function run(context: ProgramContext): Promise<void> {
  await using databases = new Databases(context.scratch);
  const catalogue = new Catalogue(context.quick ? 50_000 : 1_000_000);
  await measure("sqlite", catalogue, databases, context);
  await measure("postgres", catalogue, databases, context);
}

async function measure(
  dialect: Dialect,
  catalogue: Catalogue,
  databases: Databases,
  { report, quick }: ProgramContext,
): Promise<void> {
  const database = await databases.url(dialect, "catalogue");
  const open = () =>
    openRegistry({ database, backends: { primary: createMemoryBackend() }, actor: "benchmark" });
  // The first opening makes the tables.
  await (await open()).close();
  const seconds = await secondsOf(() => seed(dialect, catalogue, databases));
  const name = dialectNames[dialect];
  report.note(
    `${name}: ${catalogue.size.toLocaleString("en-GB")} packages were written straight into the ` +
      `views in ${Math.round(seconds)} s; recording each would take far longer.`,
  );
  const registry = await open();
  const bare = await openBareQueries(dialect, databases, "catalogue");
  const calls = quick ? 200 : 500;
  const times = async (ask: (index: number) => Promise<unknown>) => {
    const taken: number[] = [];
    const deadline = performance.now() + longestRoundMs;
    for (let index = 0; index < calls && performance.now() < deadline; index += 1) {
      taken.push((await secondsOf(() => ask(index))) * 1000);
    }
    return { p50: quantile(taken, 0.5), p99: quantile(taken, 0.99) };
  };
  for (const lookup of await lookups(registry, catalogue)) {
    const figures = await interleave(
      {
        bare: () => times((index) => bare.query(lookup.bare, lookup.parameters(index))),
        ours: () => times(lookup.ours),
      },
      { rounds: quick ? 3 : 5 },
    );
    for (const part of ["p50", "p99"] as const) {
      report.add({
        name: `${name}: ${lookup.name}, ${part}`,
        unit: "ms",
        ours: figures.ours.map((round) => round[part]),
        floors: { "bare statement": figures.bare.map((round) => round[part]) },
        ...(part === "p99" ? { aim: { below: 5 } } : {}),
      });
    }
  }
  await bare.close();
  await registry.close();
}

async function seed(dialect: Dialect, catalogue: Catalogue, databases: Databases): Promise<void> {
  if (dialect === "sqlite") {
    const database = databases.openSqlite("catalogue");
    seedSqlite(database, catalogue);
    database.close();
  } else {
    const client = await databases.postgresClient({ schema: "catalogue" });
    await seedPostgres(client, catalogue);
    await client.end();
  }
}
