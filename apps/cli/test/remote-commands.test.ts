import { describe, expect, it } from "vitest";

import { sandboxWithServer } from "./server.ts";
import { Executable, runBuiltStore, Sandbox, type Answer } from "./store.ts";
import { describeTree } from "./trees.ts";

runBuiltStore();

/** What changes something, for one version; in an order in which each has something to do. */
function changes(version: string): string[] {
  const reference = `acme/app@${version}`;
  return [
    "schema add team schema.json",
    `push tree ${reference} --schema team --metadata {"team":"core","rate":0.5} --tag next --build b`,
    `push tree ${reference}`,
    `push tree acme/app@0 --schema team --metadata {"team":1}`,
    `push - acme/stdin@${version} --path from/stdin`,
    `push tree/bin/tool ${reference}/linux --source commit --class audit --exclude none`,
    `tag ${reference}/linux stable`,
    "untag acme/app:next",
    "untag acme/app:next",
    `yank ${reference}/linux --reason broken`,
    `show ${reference}/linux`,
    `unyank ${reference}/linux`,
    `retention set ${reference} release`,
    `retention set ${reference} none`,
    `hold place ${reference} --reason audit`,
    `pull ${reference} out-${version}`,
    `pull ${reference} out-${version}`,
    "replay",
  ];
}

const reads = [
  "ls",
  "ls acme",
  "ls acme/app",
  "ls acme/none",
  "ls --limit 1",
  "show acme/app@1.0.0",
  "show acme/app@1.0.0 --files",
  "show acme/app:stable",
  "show acme/none",
  "show acme/app@2.0.0/mac",
  "manifest acme/app@1.0.0",
  "cat acme/app@1.0.0 readme",
  "cat acme/app@1.0.0 none",
  "cat acme/stdin from/stdin",
  "schema list",
  "schema show team@1",
  "schema show none",
  "retention list",
  "hold list",
  "hold list acme/app@1.0.0",
  "hold list --released",
  "verify acme/app@1.0.0",
  "verify --all",
  "backends",
  "objects locate acme/app@1.0.0",
  "objects verify",
  "objects replicate --to nowhere",
  "objects restore acme/app@1.0.0 --days 1",
  "replay --check",
  "sweep",
  "health",
  "log --limit 30",
  "log --since 12 --type v1.file.added --type v1.tag.set",
];

describe("every command", () => {
  it("says the same of a server as of an instance on this machine, letter for letter", async () => {
    await using remote = await sandboxWithServer({ STORE_ACCESS_TOKEN_SECONDS: "3600" });
    await using local = await sandboxWithServer();
    // The same has happened to both; one goes on without its server.
    const { actor } = await local.sandbox.json<{ actor: string }>("whoami");
    local.server.child.kill("SIGTERM");
    await local.server.answer;
    delete local.sandbox.env.STORE_URL;
    local.sandbox.env.STORE_ACTOR = actor;
    const [far, near] = await Promise.all([tour(remote.sandbox), tour(local.sandbox)]);
    expect([...near.keys()]).toEqual([...far.keys()]);
    for (const [command, answer] of far) {
      expect({ command, ...answer }).toEqual({ command, ...near.get(command) });
    }
    for (const { sandbox } of [remote, local]) {
      const pulled = await describeTree(sandbox.path("out-1.0.0"));
      expect(pulled).toEqual(await describeTree(sandbox.path("tree")));
    }
  });
});

type Told = Pick<Answer, "exitCode" | "stdout" | "stderr">;

async function tour(sandbox: Sandbox): Promise<Map<string, Told>> {
  await sandbox.write({
    "tree/readme": "Reads.\n",
    "tree/empty": "",
    "tree/bin/tool": new Executable("#!/bin/sh\n"),
    "tree/päth/ünï": "again",
    "tree/twice": "again",
    "tree/large": Buffer.alloc(3_000_000, 7),
    "schema.json": '{"type":"object","properties":{"team":{"type":"string"}}}',
  });
  const told = new Map<string, Told>();
  const run = async (...words: string[]): Promise<Answer> => {
    const answer = await sandbox.store(words, { stdin: "said on stdin" });
    told.set(words.join(" "), normalized(answer, sandbox));
    return answer;
  };
  for (const [version, json] of [
    ["1.0.0", ["--json"]],
    ["2.0.0", []],
  ] as const) {
    for (const words of changes(version)) await run(...words.split(" "), ...json);
    for (const words of reads) await run(...words.split(" "), ...json);
    const { holds } = await sandbox.json<{ holds: { id: string }[] }>("hold", "list");
    const [id = ""] = holds.map((hold) => hold.id);
    told.set(`release ${version}`, await released(sandbox, id, json));
    told.set(`release ${version} again`, await released(sandbox, id, json));
  }
  return told;
}

async function released(sandbox: Sandbox, id: string, json: readonly string[]): Promise<Told> {
  return normalized(await sandbox.store(["hold", "release", id, ...json]), sandbox);
}

function sortedLines(lines: string): string {
  const numbers = /^\{"seq":\d+|^ *\d+/;
  return lines
    .split("\n")
    .map((line) => line.replace(numbers, ""))
    .toSorted()
    .join("\n");
}

/** Without actors, ids and times, what these are digested to, and what is another disk's. */
function normalized({ exitCode, stdout, stderr }: Answer, { folder }: Sandbox): Told {
  const plain = (text: string) =>
    text
      .replaceAll(folder, "<folder>")
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>")
      .replaceAll(/(digest|payload_sha256|root)": ?"(\w+:)?[0-9a-f]{64}"/g, '$1":"<digest>"')
      .replaceAll(/^( *manifest +)blake3:[0-9a-f]{64}$/gm, "$1<digest>")
      .replaceAll(/"(free|total)_bytes":\d+/g, '"$1_bytes":0')
      .replaceAll(/[\d.]+ GiB free/g, "<size> free")
      // Files that are sent together arrive in any order.
      .replaceAll(/^.*v1\.file\.added.*\n(?:.*v1\.file\.added.*\n)+/gm, sortedLines);
  return { exitCode, stdout: plain(stdout), stderr: plain(stderr) };
}
