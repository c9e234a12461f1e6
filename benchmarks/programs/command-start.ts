import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { ProgramContext } from "../lib/program.ts";
import { interleave } from "../lib/rounds.ts";

export const title = "the store command as it is published, from start to end";

const commandLine = join(import.meta.dirname, "../../apps/cli");

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  // Below the package, where the native addon is found, as it is where the package is installed.
  const built = join(commandLine, "node_modules/.cache", `store-benchmark-${process.pid}`);
  execFileSync(process.execPath, [join(commandLine, "build.ts"), built]);
  try {
    const program = join(built, "dist/store.js");
    mkdirSync(join(scratch, "tree"));
    writeFileSync(join(scratch, "tree/file"), "content");
    start([program, "push", "tree", "acme/app@1.0.0"], scratch);
    const { floor, ...ours } = await interleave(
      {
        floor: async () => start(["--eval", "0"], scratch),
        "store --version": async () => start([program, "--version"], scratch),
        "store push --help": async () => start([program, "push", "--help"], scratch),
        "store ls": async () => start([program, "ls"], scratch),
      },
      { rounds: quick ? 5 : 31, warmups: 2 },
    );
    for (const [name, rounds] of Object.entries(ours)) {
      const aim = name === "store --version" ? { aim: { below: 150 } } : {};
      report.add({ name, unit: "ms", ours: rounds, floors: { "node --eval 0": floor }, ...aim });
    }
    report.note("Each round is a process of its own; the compile cache is filled in the warm-up.");
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

/** Runs a process to its end, which must be a success; how long that took, in milliseconds. */
function start(args: readonly string[], cwd: string): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd });
  const tookMs = performance.now() - begin;
  if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr.toString()}`);
  return tookMs;
}
