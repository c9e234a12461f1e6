import { openDatabase, viewTables } from "@store/database";
import { openRegistry, type Registry } from "@store/registry";
import { createMemoryBackend } from "@store/storage/memory";

import { openBareViews } from "../lib/bare-views.ts";
import { Databases, type Dialect, dialectNames } from "../lib/databases.ts";
import type { ProgramContext } from "../lib/program.ts";
import { concurrently, interleave, secondsOf } from "../lib/rounds.ts";

export const title = "views rebuilt from a log of packages of one file";

export async function run(context: ProgramContext): Promise<void> {
  const { report, quick } = context;
  await using databases = new Databases(context.scratch);
  await measure("sqlite", quick ? 2_000 : 50_000, databases, context);
  await measure("postgres", quick ? 500 : 5_000, databases, context);
  report.note(
    "Replay checks every header, payload digest and the tree's head on its way, and at its end " +
      "compares the views row by row. The floor reads the events and inserts as many rows into as " +
      "many tables by prepared statements, and does nothing in between.",
  );
}

async function measure(
  dialect: Dialect,
  packages: number,
  databases: Databases,
  { report, quick }: ProgramContext,
): Promise<void> {
  const database = await openDatabase(await databases.url(dialect, "live"));
  const backends = { primary: createMemoryBackend() };
  const registry = await openRegistry({ database, backends, actor: "benchmark" });
  await concurrently(packages, 64, (index) => publish(registry, index));
  const { size } = await registry.head();

  const copy = await openDatabase(await databases.url(dialect, "copy"));
  await copy.migrate();
  await copy.close();
  const bare = await openBareViews(dialect, databases, { from: "live", to: "copy" });

  const perSecond = async (work: () => Promise<unknown>) => size / (await secondsOf(work));
  const figures = await interleave(
    {
      bare: async () => {
        await bare.empty();
        return perSecond(() => bare.readAndInsert());
      },
      check: () =>
        perSecond(async () => {
          const { events, differences } = await registry.replay({ check: true });
          if (events !== size || differences.length > 0) throw new Error("The replay differs.");
        }),
      swap: () => perSecond(() => registry.replay()),
    },
    { rounds: quick ? 3 : 5 },
  );
  await bare.close();
  await registry.close();
  await database.close();

  const name = `${dialectNames[dialect]}, ${size.toLocaleString("en-GB")} events`;
  const floors = { "bare reading and inserting": figures.bare };
  const aim = dialect === "sqlite" ? { aim: { atLeast: 50_000 } } : {};
  report.add({ name: `${name}: replay`, unit: "1/s", ours: figures.swap, floors, ...aim });
  report.add({ name: `${name}: replay --check`, unit: "1/s", ours: figures.check, floors });
  if (dialect === "sqlite") report.note(`Views: ${viewTables.length} tables, ${bare.rows} rows.`);
}

const content = new Uint8Array(16);

async function publish(registry: Registry, index: number): Promise<void> {
  const { id } = await registry.createPackage({
    namespace: "acme",
    name: `package-${index % 997}`,
    version: `1.0.${index}`,
  });
  await registry.ingestFile(id, "data.bin", once(index));
  await registry.finalizePackage(id);
}

async function* once(index: number): AsyncGenerator<Uint8Array> {
  const bytes = content.slice();
  new DataView(bytes.buffer).setUint32(0, index);
  yield bytes;
}
