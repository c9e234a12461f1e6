import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** `bare`: transactions by the driver alone, one after the other, with a row for each caller. */
export type Task = "command" | "package" | "event" | "bare";

export interface Order {
  readonly task: Task;
  readonly callers: number;
  readonly milliseconds: number;
}

export interface Outcome {
  readonly perSecond: number;
  readonly commitsPerSecond: number;
}

/** Where a committer writes to; every place was migrated before. */
export interface CommitterStart {
  readonly registryUrl: string;
  readonly logUrl: string;
  readonly bareUrl: string;
  readonly bareSchema: string;
}

/** Processes that write to one database at the same time, as servers do. */
export class Committers implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(count: number, start: CommitterStart): Promise<Committers> {
    const path = join(import.meta.dirname, "../servers/committer.ts");
    const children: ChildProcess[] = [];
    // One after the other: the first makes the instance.
    for (let number = 1; number <= count; number += 1) {
      const child = fork(path, [String(number), JSON.stringify(start)]);
      await answer(child);
      children.push(child);
    }
    return new Committers(children);
  }

  /** Has the first `servers` of them do the same for as long; sums what they did. */
  async run(servers: number, order: Order): Promise<Outcome> {
    const outcomes = await Promise.all(
      this.#children.slice(0, servers).map(async (child) => {
        child.send(order);
        return (await answer(child)) as Outcome;
      }),
    );
    const sum = (of: (outcome: Outcome) => number) =>
      outcomes.reduce((total, outcome) => total + of(outcome), 0);
    return {
      perSecond: sum(({ perSecond }) => perSecond),
      commitsPerSecond: sum(({ commitsPerSecond }) => commitsPerSecond),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        const ended = once(child, "exit");
        child.disconnect();
        await ended;
      }),
    );
  }
}

/** What the child says next; throws where it ends instead. */
async function answer(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  try {
    const ended = once(child, "exit", over).then(() => {
      throw new Error("A committer ended before it answered.");
    });
    const [message] = await Promise.race([once(child, "message", over), ended]);
    return message;
  } finally {
    over.abort();
  }
}
