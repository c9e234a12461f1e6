import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";

import type { LoadReport } from "./ledger.ts";

const programs = join(import.meta.dirname, "../programs");

export interface LoadClientsOptions {
  readonly url: string;
  readonly token: string;
  /** The clients of several processes have names of their own. */
  readonly name: string;
  readonly clients: number;
  readonly seconds: number;
  readonly seed: number;
  readonly patient: boolean;
  readonly mix: "all" | "reads";
}

export interface TransfersOptions {
  readonly url: string;
  readonly token: string;
  readonly packageId: string;
  readonly sizeBytes: number;
  readonly up: number;
  readonly down: number;
  /** The file of the package that is downloaded, of the same size. */
  readonly source: string;
}

/** Clients in processes of their own. */
export interface RunningLoad {
  /** Lets them finish what they do, and gives what each process has to say. */
  stop(): Promise<LoadReport[]>;
  readonly reports: Promise<LoadReport[]>;
}

/**
 * Starts clients in so many processes; at the latest they stop after `seconds`. Those of other seeds
 * have other names.
 */
export function startLoad(
  processes: number,
  options: Omit<LoadClientsOptions, "name">,
): RunningLoad {
  const clients = Math.ceil(options.clients / processes);
  const started = Array.from({ length: processes }, (_, index) => {
    const own = {
      ...options,
      clients,
      name: `p${options.seed + index}`,
      seed: options.seed + index,
    };
    return startProgram("load-clients.ts", own);
  });
  const reports = Promise.all(
    started.map(async ({ output }) => JSON.parse(await output) as LoadReport),
  );
  return {
    reports,
    stop: async () => {
      for (const { child } of started) child.stdin.end();
      return await reports;
    },
  };
}

/** Transfers large files, and gives how many seconds it took. */
export async function transfer(options: TransfersOptions): Promise<number> {
  const { seconds } = JSON.parse(await startProgram("transfers.ts", options).output) as {
    readonly seconds: number;
  };
  return seconds;
}

/** Starts a program of these tests, which ends with its stdin and prints what it has to say. */
export function startProgram(
  program: string,
  options: object,
): { child: ChildProcessByStdio<Writable, Readable, null>; output: Promise<string> } {
  const child = spawn(process.execPath, [join(programs, program), JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const output = Promise.all([text(child.stdout), exited]).then(([said, [exitCode]]) => {
    if (exitCode === 0) return said;
    throw new Error(`${program} ended with ${exitCode}.`);
  });
  return { child, output };
}
