import { readFileSync } from "node:fs";

import { secondsOf } from "./rounds.ts";

interface Spent {
  seconds: number;
  own: number;
  readonly others: Map<string, number>;
}

/** How much of the processor this process and others take while something is measured. */
export class ProcessorLoad {
  readonly #others: readonly (readonly [string, number])[];
  readonly #spent = new Map<string, Spent>();

  /** `others`: processes by what they are called. */
  constructor(others: Readonly<Record<string, number>>) {
    this.#others = Object.entries(others);
  }

  /** How long the work took, in seconds; what was spent meanwhile is added under the name. */
  async secondsOf(name: string, work: () => Promise<unknown>): Promise<number> {
    const ownBefore = process.cpuUsage();
    const before = this.#others.map(([, pid]) => processorSeconds(pid));
    const seconds = await secondsOf(work);
    const { user, system } = process.cpuUsage(ownBefore);
    const none: Spent = { seconds: 0, own: 0, others: new Map() };
    const spent = this.#spent.get(name) ?? none;
    spent.seconds += seconds;
    spent.own += (user + system) / 1e6;
    for (const [index, [other, pid]] of this.#others.entries()) {
      const more = processorSeconds(pid) - (before[index] ?? 0);
      spent.others.set(other, (spent.others.get(other) ?? 0) + more);
    }
    this.#spent.set(name, spent);
    return seconds;
  }

  /** What was spent in a second of each thing measured, in cores. */
  account(): string {
    const accounts = [...this.#spent].map(([name, { seconds, own, others }]) => {
      const parts = [...others].map(([other, spent]) => `${other} ${(spent / seconds).toFixed(2)}`);
      return `${name}: this process ${[(own / seconds).toFixed(2), ...parts].join(", ")}`;
    });
    return `Cores in use, warm-up included. ${accounts.join("; ")}.`;
  }
}

/** The processor's time that a process has had until now, in seconds; NaN but on Linux. */
function processorSeconds(pid: number): number {
  try {
    const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    const fields = rest.split(" ");
    // In hundredths of a second: `utime` and `stime` of proc(5).
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}
