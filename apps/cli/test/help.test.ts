import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Config } from "@oclif/core/config";
import { beforeAll, describe, expect, it } from "vitest";

import { commandLineConfiguration } from "../src/lib/command-line.ts";
import { Sandbox } from "./store.ts";

const root = join(import.meta.dirname, "..");
const config = await Config.load({
  root,
  pjson: commandLineConfiguration("0.0.0", "./src/commands"),
  ignoreManifest: true,
});
const commands = config.commands.map((command) => ({
  name: command.id.replaceAll(":", " "),
  command,
}));

/** The flags of commands that do not work with either an instance on this machine or a server. */
const sharedFlags: Readonly<Record<string, string[]>> = {
  serve: ["json", "data"],
  "instance copy": ["json"],
};

describe("store", () => {
  it("has the commands that it is to have", () => {
    const names = commands.map(({ name }) => name).join(", ");
    expect(names).toBe(
      "backends, cat, health, hold list, hold place, hold release, instance copy, log, login, logout, ls, manifest, migrate, " +
        "objects evacuate, objects locate, objects replicate, objects restore, objects verify, " +
        "pull, push, replay, retention list, retention set, schema add, schema list, schema show, " +
        "serve, show, sweep, tag, token create, token list, token revoke, untag, unyank, " +
        "user create, user disable, user enable, user list, user password, user scopes, verify, " +
        "version, whoami, yank",
    );
  });

  it.each(commands)("$name has a summary, an example, and its flags", ({ name, command }) => {
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    const shared = sharedFlags[name] ?? ["json", "data", "server"];
    expect(Object.keys(command.flags)).toEqual(expect.arrayContaining(shared));
    expect(command.examples?.length).toBeGreaterThan(0);
    for (const example of command.examples ?? []) {
      expect(example).toMatchObject({
        description: expect.stringMatching(/^[A-Z]/),
        command: expect.stringContaining("<%= config.bin %>"),
      });
    }
    const used = JSON.stringify(command.examples);
    expect(used).toMatch(new RegExp(`config.bin %> (?:${name}|--version)`));
    for (const flag of Object.values(command.flags))
      expect(flag.summary ?? flag.description).toBeTruthy();
    for (const argument of Object.values(command.args)) expect(argument.description).toBeTruthy();
  });

  let readme = "";
  beforeAll(async () => {
    readme = await readFile(join(root, "README.md"), "utf8");
  });

  it.each(commands)("$name is in the README, with each of its own flags", ({ name, command }) => {
    const row = readme
      .split("\n")
      .find((line) => /^\| `store ([a-z ]+[a-z])/.exec(line)?.[1] === name);
    expect(row).toBeDefined();
    for (const [flag, { helpGroup }] of Object.entries(command.flags)) {
      if (helpGroup !== "GLOBAL") expect(row).toContain(`--${flag}`);
    }
    expect(row).toContain(command.summary?.replace(/\.$/, ""));
  });

  it("shows help for itself, for a topic and for a command", async () => {
    await using sandbox = await Sandbox.create();
    for (const args of [[], ["--help"], ["help"]]) {
      expect((await sandbox.ok(...args)).stdout).toContain("\nCOMMANDS\n");
    }
    expect((await sandbox.ok("schema")).stdout).toContain("schema add");
    for (const args of [
      ["hold", "place", "--help"],
      ["help", "hold", "place"],
    ]) {
      const { stdout } = await sandbox.ok(...args);
      expect(stdout).toContain("$ store hold place REFERENCE --reason <text>");
      expect(stdout).toContain("EXAMPLES");
    }
    expect((await sandbox.store(["help", "nonsense"])).exitCode).toBe(2);
  });

  it("gives its version", async () => {
    await using sandbox = await Sandbox.create();
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      version: string;
    };
    for (const args of [["--version"], ["version"]]) {
      expect((await sandbox.ok(...args)).stdout).toMatch(new RegExp(`^store ${version} `));
    }
    expect(await sandbox.json("--version")).toMatchObject({ version });
  });
});
