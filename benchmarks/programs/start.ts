import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

import { installPacked, packWorkspace } from "@store/testing/packed";

import type { ProgramContext } from "../lib/program.ts";
import { interleave } from "../lib/rounds.ts";

export const title = "the `store` command of the packed package, installed by npm";

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  const project = join(scratch, "project");
  mkdirSync(project);
  const wanted = { private: true, dependencies: { "@store/cli": "latest" } };
  writeFileSync(join(project, "package.json"), JSON.stringify(wanted));
  await installPacked(project, await packWorkspace(join(scratch, "tarballs")));

  const store = join(project, "node_modules/.bin/store");
  const data = join(scratch, "data");
  // Makes the instance, and the compile cache where there is one.
  timed(store, ["push", join(project, "package.json"), "acme/app@1.0.0", "--data", data]);
  const figures = await interleave(
    {
      node: async () => timed(process.execPath, ["-e", "0"]),
      version: async () => timed(store, ["--version"]),
      list: async () => timed(store, ["ls", "--data", data]),
    },
    { rounds: quick ? 7 : 31, warmups: 3 },
  );
  const floors = { "node -e 0": figures.node };
  report.add({
    name: "store --version",
    unit: "ms",
    ours: figures.version,
    floors,
    aim: { below: 150 },
  });
  report.add({
    name: "store ls, an instance of one package",
    unit: "ms",
    ours: figures.list,
    floors,
  });
}

/** How long a program takes from its start to its end, in ms. */
function timed(program: string, args: readonly string[]): number {
  const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, PATH: path };
  const start = performance.now();
  execFileSync(program, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  return performance.now() - start;
}
