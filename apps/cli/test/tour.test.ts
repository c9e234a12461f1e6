import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { Executable, Sandbox, source } from "./store.ts";

const readme = join(import.meta.dirname, "../../../README.md");

it("the tour of the README can be taken, command by command", async () => {
  const script = tourOf(await readFile(readme, "utf8"));
  await using sandbox = await Sandbox.create();
  await sandbox.write({
    "bin/store": new Executable(`#!/bin/sh\nexec "${process.execPath}" "${source}" "$@"\n`),
    "home/tour.sh": script,
  });
  const { stdout } = await promisify(execFile)("sh", ["-eu", "tour.sh"], {
    cwd: sandbox.path("home"),
    env: { PATH: `${sandbox.path("bin")}:${process.env.PATH}`, HOME: sandbox.path("home") },
  });
  expect(stdout).toContain("\nhello\n");
  expect(stdout).toContain("\nSays hello.\n");
  expect(stdout).toContain("acme/hello:stable is acme/hello@1.1.0");
  expect(stdout).toContain("2 packages, 4 files");
  expect(stdout).toContain("no difference");
});

/** The commands of the section that is called a tour. */
function tourOf(markdown: string): string {
  const section = /^## A tour[^\n]*\n(.*?)^## /ms.exec(markdown)?.[1] ?? "";
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(blocks.length).toBeGreaterThan(3);
  return blocks.join("");
}
