import { once } from "node:events";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";

import { startS3Double } from "@store/testing/s3-double";
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

  it("keeps objects in S3, and loads what that needs only then", async () => {
    await using sandbox = await Sandbox.create();
    await using closing = new AsyncDisposableStack();
    const double = await startS3Double();
    closing.defer(() => double.close());
    const { accessKeyId, secretAccessKey } = double.credentials;
    const telling = `import { registerHooks } from "node:module"; registerHooks({ load(url, ...rest) {
      if (url.includes("aws-sdk")) process.stderr.write("the SDK "); return rest[1](url, rest[0]); } });`;
    Object.assign(sandbox.env, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(telling)}`,
    });
    await sandbox.write({ "tree/a": "a", "tree/large": Buffer.alloc(17_000_000, 7) });
    await ok(sandbox, "--version");
    await ok(sandbox, "push", "tree", "acme/local@1.0.0", "--data", "elsewhere");
    const place = { region: double.region, endpoint: double.endpoint, path_style: "true" };
    const parameters = new URLSearchParams(place).toString();
    sandbox.env["STORE_STORAGE_URL"] = `s3://${double.bucket}/store?${parameters}`;
    const told = { exitCode: 0, stderr: "the SDK " };
    expect(await sandbox.store(["push", "tree", "acme/app@1.0.0"])).toMatchObject(told);
    expect(await sandbox.store(["pull", "acme/app@1.0.0", "out"])).toMatchObject(told);
    const source = await describeTree(sandbox.path("tree"));
    expect(await describeTree(sandbox.path("out"))).toEqual(source);
    // Two objects, and the format file.
    expect(await double.counts()).toEqual({ objects: 3, unfinishedUploads: 0 });
  });

  it("has the program of the threads that hash, whose lack would only make it slower", async () => {
    await using built = await buildStore();
    const program = join(dirname(built.program), "chunks/hash-worker.js");
    const worker = new Worker(program);
    expect(await once(worker, "message")).toEqual(["ready"]);
    await worker.terminate();
  });
});
