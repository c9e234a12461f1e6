import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A program of `test/programs` that runs apart from the test. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor(name: string, args: readonly string[]) {
    const file = join(import.meta.dirname, "../programs", name);
    this.#child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#child, "close");
    this.#child.stdout?.on("data", (text) => (this.#stdout += text));
    this.#child.stderr?.on("data", (text) => (this.#stderr += text));
  }

  /** The values that the program has printed so far, one JSON text a line. */
  get printed(): unknown[] {
    const lines = this.#stdout.split("\n");
    return lines.slice(0, -1).map((line): unknown => JSON.parse(line));
  }

  /** Resolves when the program has printed so many lines, or has ended. */
  async printedLines(count: number): Promise<void> {
    while (this.printed.length < count && this.#child.exitCode === null) {
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
    if (this.#child.exitCode === 0) return this.printed;
    throw new Error(`the program ended with ${this.#child.exitCode}:\n${this.#stderr}`);
  }
}
