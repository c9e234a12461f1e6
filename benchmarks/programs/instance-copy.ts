import { join } from "node:path";

import { openDatabase } from "@store/database";
import { openRegistry } from "@store/registry";
import { copyInstance, type CopySide } from "@store/registry/instance-copy";
import { openLocalStorage } from "@store/storage-local";

import { openBareViews } from "../lib/bare-views.ts";
import { Databases, type Dialect, dialectNames } from "../lib/databases.ts";
import { DurableFiles } from "../lib/durable-file.ts";
import type { ProgramContext } from "../lib/program.ts";
import { publishAll } from "../lib/published.ts";
import { randomBytes } from "../lib/random-bytes.ts";
import { concurrently, secondsOf } from "../lib/rounds.ts";

export const title = "instance copy from SQLite to PostgreSQL and back, objects on local disk";

const sizeBytes = 4096;
/** Objects in hand at once, as copying has by default. */
const width = 32;

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  await using databases = new Databases(scratch);
  const packages = quick ? 300 : 10_000;
  const rounds = quick ? 1 : 3;
  const open = async (dialect: Dialect, name: string): Promise<CopySide> => {
    const database = await openDatabase(await databases.url(dialect, name));
    const primary = await openLocalStorage({ root: join(scratch, name) });
    return { database, backends: { primary } };
  };
  const source = await open("sqlite", "source");
  const registry = await openRegistry({ ...source, actor: "benchmark" });
  await publishAll(registry, { packages, filesEach: 1, newEach: 1, sizeBytes, versionsEach: 20 });
  await registry.close();

  const bytes = randomBytes(sizeBytes);
  const files = new DurableFiles(join(scratch, "bare"));
  const durable: number[] = [];
  let from = source;
  const speeds: Record<Dialect, Speeds> = { sqlite: noSpeeds(), postgres: noSpeeds() };
  for (let round = 0; round < rounds; round += 1) {
    for (const dialect of ["postgres", "sqlite"] as const) {
      const name = `copy_${dialect}_${"abc"[round]}`;
      const to = await open(dialect, name);
      const copied = await copyInto(from, to);
      speeds[dialect].events.push(copied.eventsPerSecond);
      speeds[dialect].objects.push(copied.objectsPerSecond);
      const seconds = await bareSeconds(databases, dialect, name);
      speeds[dialect].rows.push(copied.events / seconds);
      await close(from);
      from = to;
    }
    const seconds = await secondsOf(() => concurrently(packages, width, () => files.create(bytes)));
    durable.push(packages / seconds);
  }
  await close(from);

  for (const dialect of ["postgres", "sqlite"] as const) {
    const { events, objects, rows } = speeds[dialect];
    const unit = "1/s";
    const to = `${dialectNames[dialect]}, ${packages} packages`;
    const reading = { "bare reading and inserting, on the same database": rows };
    report.add({ name: `events copied to ${to}`, unit, ours: events, floors: reading });
    const creating = { [`bare durable files, ${width} at a time`]: durable };
    report.add({ name: `objects copied to ${to}`, unit, ours: objects, floors: creating });
  }
  report.note(
    "Both figures are of the same time: a copy takes some events, copies the objects that they " +
      "speak of, and then records and projects them. Each floor is of one half of it.",
  );
}

interface Speeds {
  readonly events: number[];
  readonly objects: number[];
  readonly rows: number[];
}

function noSpeeds(): Speeds {
  return { events: [], objects: [], rows: [] };
}

async function copyInto(from: CopySide, to: CopySide) {
  const started = performance.now();
  const { events, objects, problemCount } = await copyInstance({ from, to });
  const seconds = (performance.now() - started) / 1000;
  if (problemCount > 0) throw new Error("Not everything was copied.");
  return { events, eventsPerSecond: events / seconds, objectsPerSecond: objects / seconds };
}

/** How long the driver alone takes to read the same events and to insert the same view rows. */
async function bareSeconds(databases: Databases, dialect: Dialect, from: string): Promise<number> {
  const to = `${from}_bare`;
  const empty = await openDatabase(await databases.url(dialect, to));
  await empty.migrate();
  await empty.close();
  const bare = await openBareViews(dialect, databases, { from, to });
  const seconds = await secondsOf(() => bare.readAndInsert());
  await bare.close();
  return seconds;
}

async function close({ database, backends }: CopySide): Promise<void> {
  await database.close();
  for (const backend of Object.values(backends)) await backend.close();
}
