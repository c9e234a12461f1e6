import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What a program is started with, `node` and its own arguments left out. */
export interface ProgramOptions {
  /** A command that runs the program, such as `unshare`, with its arguments. */
  readonly within?: readonly string[];
}

/** A program of `test/programs` that runs apart from the test. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor(name: string, args: readonly string[], { within = [] }: ProgramOptions = {}) {
    const file = join(import.meta.dirname, "../programs", name);
    const [command = "", ...rest] = [...within, process.execPath, file, ...args];
    this.#child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#child, "close");
    this.#child.stdout?.on("data", (text) => (this.#stdout += text));
    this.#child.stderr?.on("data", (text) => (this.#stderr += text));
  }

  /** The values that the program has printed so far, one JSON text a line. */
  get printed(): unknown[] {
    const lines = this.#stdout.split("\n");
    return lines.slice(0, -1).map((line): unknown => JSON.parse(line));
  }

  /** Resolves when the program has printed something, or has ended. */
  async started(): Promise<void> {
    while (this.#stdout === "" && this.#child.exitCode === null) {
      await Promise.race([once(this.#child.stdout ?? this.#child, "data"), this.#ended]);
    }
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** What it printed, once it has ended well; throws with its errors if it has not. */
  async finished(): Promise<unknown[]> {
    await this.#ended;
    if (this.#child.exitCode !== 0) throw new Error(`the program failed: ${this.#stderr}`);
    return this.printed;
  }
}

/** How this user can mount a small disk, or undefined. */
export function mountingCommand(): readonly string[] | undefined {
  const ways = [
    ["unshare", "--mount"],
    ["unshare", "--map-root-user", "--mount"],
  ];
  return ways.find(([command = "", ...args]) => {
    const script = "mount -t tmpfs -o size=1m tmpfs /tmp";
    return spawnSync(command, [...args, "sh", "-c", script]).status === 0;
  });
}
