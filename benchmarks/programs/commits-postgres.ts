import { openDatabase } from "@store/database";
import { openLog } from "@store/events";

import { Committers, type Task } from "../lib/committers.ts";
import { Databases } from "../lib/databases.ts";
import type { ProgramContext } from "../lib/program.ts";
import { interleave, type Rounds } from "../lib/rounds.ts";
import { median } from "../lib/statistics.ts";

export const title = "commands on one PostgreSQL by one, two and three servers at once";

const most = 3;
const callerCounts = [1, 16, 64];
const names: Readonly<Record<Task, string>> = {
  command: "open a package (one event)",
  package: "packages of one file",
  event: "events alone",
  bare: "bare transactions",
};

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  await using databases = new Databases(scratch);
  const bareSchema = "bare";
  const bareUrl = new URL(await databases.url("postgres", bareSchema));
  await makeLog(bareUrl.href);
  bareUrl.search = "";
  const logUrl = await databases.url("postgres", "log");
  await makeLog(logUrl);
  const registryUrl = await databases.url("postgres", "registry");
  const start = { registryUrl, logUrl, bareUrl: bareUrl.href, bareSchema };
  await using committers = await Committers.start(most, start);

  const measure = new Measure(committers, quick);
  for (const callers of callerCounts) {
    for (const { servers, command, bare } of await measure.growth("command", callers)) {
      report.add({
        name: `${names.command}: ${counted(servers, "server")}, ${counted(callers, "caller")} each`,
        unit: "1/s",
        ours: command,
        floors: { [`bare transactions of ${counted(callers, "row")}`]: bare },
      });
    }
  }
  for (const task of ["package", "event"] as const) {
    for (const { servers, command, bare } of await measure.growth(task, 64)) {
      report.add({
        name: `${names[task]}: ${counted(servers, "server")}, 64 callers each`,
        unit: "1/s",
        ours: command,
        floors: { "bare transactions of 64 rows": bare },
      });
    }
  }
  report.note(
    "Each server is a process. A bare transaction locks the head's row, inserts as many events as " +
      "there are callers, moves the head and commits, in two round trips; each process has one " +
      "after the other under way. A figure of the floor counts rows.",
  );
  report.note(measure.commits());
}

/** Makes a log; its head comes with its first event. */
async function makeLog(url: string): Promise<void> {
  const database = await openDatabase(url);
  await database.migrate();
  const log = await openLog(database);
  const payload = new Uint8Array(256);
  await log.transact("benchmark", async (tx) =>
    tx.append({ type: "v1.benchmark.begun", subject: "benchmark", payload }),
  );
  await database.close();
}

interface Growth {
  readonly servers: number;
  readonly command: Rounds;
  readonly bare: Rounds;
}

class Measure {
  readonly #committers: Committers;
  readonly #quick: boolean;
  readonly #commits: string[] = [];

  constructor(committers: Committers, quick: boolean) {
    this.#committers = committers;
    this.#quick = quick;
  }

  /** The same by one server, by two and by three, and the floor of each, round by round. */
  async growth(task: Task, callers: number): Promise<Growth[]> {
    const milliseconds = this.#quick ? 400 : 2_000;
    const contenders: Record<string, () => Promise<number>> = {};
    const commits: number[][] = [];
    for (let servers = 1; servers <= most; servers += 1) {
      const rounds: number[] = [];
      commits.push(rounds);
      contenders[`ours ${servers}`] = async () => {
        const outcome = await this.#committers.run(servers, { task, callers, milliseconds });
        rounds.push(outcome.commitsPerSecond);
        return outcome.perSecond;
      };
      contenders[`bare ${servers}`] = async () => {
        const order = { task: "bare", callers, milliseconds } as const;
        return (await this.#committers.run(servers, order)).perSecond;
      };
    }
    const figures = await interleave(contenders, { rounds: this.#quick ? 2 : 5 });
    const middles = commits.map((rounds) => Math.round(median(rounds)));
    this.#commits.push(`${names[task]}, ${counted(callers, "caller")} each: ${middles.join(", ")}`);
    return commits.map((_, index) => ({
      servers: index + 1,
      command: figures[`ours ${index + 1}`] ?? [],
      bare: figures[`bare ${index + 1}`] ?? [],
    }));
  }

  commits(): string {
    return `Commits a second by one, two and three servers: ${this.#commits.join("; ")}.`;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
