import { openDatabase } from "@store/database";
import { type EventLog, openLog, type StoredEvent } from "@store/events";
import { encodeCbor } from "@store/manifest";

import { openBareEvents } from "../lib/bare-events.ts";
import { Databases, type Dialect, dialectNames } from "../lib/databases.ts";
import type { ProgramContext } from "../lib/program.ts";
import { concurrently, interleave, secondsOf } from "../lib/rounds.ts";

export const title = "events appended: 64 callers sharing commits against a commit for each event";

const width = 64;

export async function run(context: ProgramContext): Promise<void> {
  await using databases = new Databases(context.scratch);
  await measure("sqlite", databases, context);
  await measure("postgres", databases, context);
  context.report.note(
    "The floors insert the same rows, made before, by prepared statements into the same table; " +
      "they keep no log head, hash nothing and are told no reader.",
  );
}

async function measure(
  dialect: Dialect,
  databases: Databases,
  { report, quick }: ProgramContext,
): Promise<void> {
  const database = await openDatabase(await databases.url(dialect, "ours"));
  await database.migrate();
  const log = await openLog(database);
  await append(log);
  const [template] = await log.read({ limit: 1 });
  if (template === undefined) throw new Error("The log is empty.");

  const other = await openDatabase(await databases.url(dialect, "bare"));
  await other.migrate();
  await other.close();
  const bare = await openBareEvents(dialect, databases, "bare");
  const rows = rowsLike(template);

  const shared = quick ? 2_560 : 12_800;
  const single = shared / 20;
  const perSecond = async (count: number, work: () => Promise<unknown>) =>
    count / (await secondsOf(work));
  const figures = await interleave(
    {
      shared: () => perSecond(shared, () => concurrently(shared, width, () => append(log))),
      bareShared: async () => {
        const made = Array.from({ length: shared }, rows);
        return perSecond(shared, () => bare.insert(made, width));
      },
      single: () => perSecond(single, () => concurrently(single, 1, () => append(log))),
      bareSingle: async () => {
        const made = Array.from({ length: single }, rows);
        return perSecond(single, () => bare.insert(made, 1));
      },
    },
    { rounds: quick ? 3 : 9 },
  );
  await bare.close();
  await database.close();

  const name = dialectNames[dialect];
  report.add({
    name: `${name}: 64 callers, group commit`,
    unit: "1/s",
    ours: figures.shared,
    floors: { "bare inserts, 64 a commit": figures.bareShared },
  });
  report.add({
    name: `${name}: 1 caller, a commit each`,
    unit: "1/s",
    ours: figures.single,
    floors: { "bare inserts, 1 a commit": figures.bareSingle },
  });
}

const payload = encodeCbor({
  package_id: "01900000-0000-7000-8000-000000000001",
  path: "lib/module.js",
  size: 4096,
  content_address: `blake3:${"5a".repeat(32)}`,
  sha256: new Uint8Array(32).fill(0xa5),
});

function append(log: EventLog): Promise<StoredEvent> {
  return log.transact("benchmark", async (tx) =>
    tx.append({ type: "v1.package.file_added", subject: "acme/app@1.0.0", payload }),
  );
}

/** Rows as the log would write them, one after the other. */
function rowsLike(template: StoredEvent): () => StoredEvent {
  let { seq } = template;
  return () => {
    seq += 1;
    // Rising, as ids of UUIDv7 are, so that the index on them grows at its end.
    const id = `01900000-0000-7000-8000-${seq.toString(16).padStart(12, "0")}`;
    return { ...template, seq, id };
  };
}
