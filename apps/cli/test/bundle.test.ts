import { once } from "node:events";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";

import { describe, expect, it } from "vitest";

import { buildStore } from "./built.ts";
import { runBuiltStore, Sandbox, type Answer } from "./store.ts";
import { describeTree } from "./trees.ts";

runBuiltStore();

describe("the published bundle", () => {
  async function ok(sandbox: Sandbox, ...args: string[]): Promise<Answer> {
    const answer = await sandbox.store(args);
    // Not a word on stderr: nothing that oclif warns of, no experimental feature.
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    return answer;
  }

  it("finds its commands, its migrations and its worker", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({
      "tree/a": "a",
      "tree/b/large": Buffer.alloc(3_000_000, 7),
      "schema.json": '{"type":"object","required":["team"]}',
    });
    expect((await ok(sandbox, "--version")).stdout).toMatch(/^store \d/);
    expect((await ok(sandbox, "push", "--help")).stdout).toContain("EXAMPLES");
    await ok(sandbox, "schema", "add", "team", "schema.json");
    const metadata = ["--schema", "team", "--metadata", '{"team":"core"}'];
    await ok(sandbox, "push", "tree", "acme/app@1.0.0", ...metadata);
    await ok(sandbox, "pull", "acme/app@1.0.0", "out");
    const source = await describeTree(sandbox.path("tree"));
    expect(await describeTree(sandbox.path("out"))).toEqual(source);
    await ok(sandbox, "verify", "--all");
    await ok(sandbox, "replay", "--check");
  });

  it("has the program of the threads that hash, whose lack would only make it slower", async () => {
    await using built = await buildStore();
    const program = join(dirname(built.program), "chunks/hash-worker.js");
    const worker = new Worker(program);
    expect(await once(worker, "message")).toEqual(["ready"]);
    await worker.terminate();
  });
});
