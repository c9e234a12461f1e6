import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { buildStore } from "./built.ts";
import { Sandbox, store, type Answer } from "./store.ts";
import { describeTree } from "./trees.ts";

let built: Awaited<ReturnType<typeof buildStore>>;
beforeAll(async () => {
  built = await buildStore();
});
afterAll(() => built[Symbol.asyncDispose]());

describe("the published bundle", () => {
  async function ok(sandbox: Sandbox, ...args: string[]): Promise<Answer> {
    const answer = await store(args, { cwd: sandbox.folder, program: built.program });
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    return answer;
  }

  it("does what the source does", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({
      "tree/a": "a",
      "tree/b/large": Buffer.alloc(3_000_000, 7),
      "schema.json": '{"type":"object","required":["team"]}',
    });
    expect((await ok(sandbox, "--version")).stdout).toMatch(/^store \d/);
    expect((await ok(sandbox, "push", "--help")).stdout).toContain("EXAMPLES");
    // Its migrations and its worker are found where the bundle has them.
    await ok(sandbox, "schema", "add", "team", "schema.json");
    const metadata = ["--schema", "team", "--metadata", '{"team":"core"}'];
    await ok(sandbox, "push", "tree", "acme/app@1.0.0", ...metadata);
    await ok(sandbox, "pull", "acme/app@1.0.0", "out");
    const source = await describeTree(sandbox.path("tree"));
    expect(await describeTree(sandbox.path("out"))).toEqual(source);
    await ok(sandbox, "verify", "--all");
    await ok(sandbox, "replay", "--check");
    // And what one writes, the other reads.
    expect((await sandbox.ok("cat", "acme/app", "a")).stdout).toBe("a");
  });

  it("tells of errors as the source does", async () => {
    await using sandbox = await Sandbox.create();
    const { program } = built;
    const unknown = await sandbox.store(["pusj"], { program });
    expect(unknown).toMatchObject({ exitCode: 2 });
    expect(unknown.stderr).toContain("Did you mean `store push`?");
    expect((await sandbox.store(["ls"], { program })).exitCode).toBe(3);
  });
});
