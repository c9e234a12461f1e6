import { join } from "node:path";

import { Config } from "@oclif/core/config";
import { expect, it } from "vitest";

import { commandLineConfiguration } from "../src/lib/command-line.ts";
import { password } from "./server.ts";
import { runBuiltStore, Sandbox } from "./store.ts";

runBuiltStore();

/** Every command that ends by itself, in an order in which each has something to do. */
const commands = [
  "version",
  "migrate",
  "schema add team schema.json",
  "schema list",
  "schema show team",
  'push tree acme/app@1.0.0 --schema team --metadata {"team":"core"} --tag stable',
  "ls",
  "ls acme/app",
  "show acme/app --files",
  "manifest acme/app",
  "cat acme/app file",
  "pull acme/app out",
  "verify acme/app",
  "verify --all",
  "backends",
  "objects locate acme/app",
  "objects restore acme/app --days 1",
  "tag acme/app@1.0.0 next",
  "untag acme/app:next",
  "yank acme/app@1.0.0 --reason broken",
  "unyank acme/app@1.0.0",
  "retention list",
  "retention set acme/app@1.0.0 release",
  "hold place acme/app@1.0.0 --reason audit",
  "hold list",
  "replay --check",
  "replay",
  "sweep",
  "health",
  "whoami",
  "user create ada --password-stdin",
  "user password ada --password-stdin",
  "user list",
  "user scopes ada --scope read:*",
  "user disable ada",
  "user enable ada",
  "token create ci --owner ada",
  "token list",
];

it("with --json every command prints one document, and nothing else on stdout", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.write({ "tree/file": "content", "schema.json": '{"type":"object"}' });
  const documents = new Map<string, Record<string, unknown>>();
  const run = async (words: string[]): Promise<void> => {
    const options = { stdin: `${password}\n` };
    const { exitCode, stdout, stderr } = await sandbox.store([...words, "--json"], options);
    expect({ exitCode, stderr }, words.join(" ")).toEqual({ exitCode: 0, stderr: "" });
    // One line where no person reads: as easy to split as it is to parse.
    expect(stdout, words.join(" ")).toMatch(/^\{.*\}\n$/);
    documents.set(words.slice(0, 2).join(" "), JSON.parse(stdout) as Record<string, unknown>);
  };
  for (const command of commands) await run(command.split(" "));
  await run(["hold", "release", String(documents.get("hold place")?.id)]);
  await run(["token", "revoke", String(documents.get("token create")?.id)]);

  // The log is one line an event, a work on objects one for how far it is, serve ends only when it
  // is told to, an instance is copied to another one, and there is no server to log in to: each has
  // its own test.
  const works = ["objects evacuate", "objects replicate", "objects verify"];
  const others = ["instance copy", "log", "login", "logout", ...works, "serve"];
  const config = await Config.load({
    root: join(import.meta.dirname, ".."),
    pjson: commandLineConfiguration("0.0.0", "./src/commands"),
    ignoreManifest: true,
  });
  const names = config.commandIDs.map((id) => id.replaceAll(":", " "));
  const covered = (name: string) =>
    documents.keys().some((words) => `${words} `.startsWith(`${name} `));
  expect(names.filter((name) => !covered(name))).toEqual(others);
});
