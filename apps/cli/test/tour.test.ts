import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { password, startServer } from "./server.ts";
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

it("a team can be served as the README says, command by command", async () => {
  const [serve = "", ...blocks] = blocksOf(await readFile(readme, "utf8"), "Serve a team");
  expect(serve).toMatch(/^store serve [^\n]*\n$/);
  await using sandbox = await Sandbox.create();
  const server = await startServer(sandbox, [...serve.trim().split(" ").slice(2), "--json"]);
  const { setup_token: setupToken = "" } = JSON.parse(server.line) as { setup_token?: string };
  const script = blocks
    .join("")
    .replaceAll(/http:\/\/127\.0\.0\.1:8000|https:\/\/store\.example\.org/g, server.url)
    .replace("store_…", setupToken);
  await sandbox.write({
    // It types the passwords that are asked for.
    "bin/store": new Executable(`#!/bin/sh
case "$1 $2" in
  "user create" | login*) printf '%s\\n' "${password}" | "${process.execPath}" "${source}" "$@" --password-stdin ;;
  *) exec "${process.execPath}" "${source}" "$@" ;;
esac
`),
    "home/team.sh": script,
  });
  const { stdout } = await promisify(execFile)("sh", ["-eu", "team.sh"], {
    cwd: sandbox.path("home"),
    env: { PATH: `${sandbox.path("bin")}:${process.env.PATH}`, HOME: sandbox.path("home") },
  });
  expect(stdout).toContain("ada is created, with admin:*, metrics");
  expect(stdout).toContain("bob is created, with write:acme/*");
  expect(stdout).toContain("acme/report@1.0.0");
  expect(stdout).toMatch(/^store_\w{49}$/m);
  expect(await readFile(sandbox.path("home/received/today"), "utf8")).toBe("All is well.\n");
});

/** The commands of the section that is called a tour. */
function tourOf(markdown: string): string {
  const blocks = blocksOf(markdown, "A tour");
  expect(blocks.length).toBeGreaterThan(3);
  return blocks.join("");
}

/** The blocks of commands of the section whose title begins so. */
function blocksOf(markdown: string, title: string): string[] {
  const section = new RegExp(`^## ${title}[^\\n]*\\n(.*?)^## `, "ms").exec(markdown)?.[1] ?? "";
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block);
}
