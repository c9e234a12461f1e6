import { truncate, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { describe, expect, it } from "vitest";

import { eventually, lookInto, unfinished } from "./instance.ts";
import { sandboxWithServer, startCountingProxy, withPassword } from "./server.ts";
import { runBuiltStore } from "./store.ts";
import { describeTree } from "./trees.ts";

runBuiltStore();

const mebibyte = 1024 * 1024;

/** A server with a way to it that counts; the sandbox's commands go that way. */
async function countedServer() {
  const started = await sandboxWithServer();
  const proxy = await startCountingProxy(started.server.url);
  const { sandbox } = started;
  sandbox.env.STORE_URL = proxy.url;
  await withPassword(sandbox, ["login", "ada"]);
  return {
    sandbox,
    proxy,
    data: sandbox.path("data"),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await started[Symbol.asyncDispose]();
    },
  };
}

/** Bytes that nothing else has. */
function bytes(sizeBytes: number, seed: number): Uint8Array {
  const words = new Uint32Array(sizeBytes / 4);
  let state = seed;
  for (let index = 0; index < words.length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = state;
  }
  return new Uint8Array(words.buffer);
}

describe("a push to a server", () => {
  it("sends an object once, and of an unchanged tree none", async () => {
    await using counted = await countedServer();
    const { sandbox, proxy } = counted;
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`tree/${index}`, bytes(100_000, index + 1)]),
    );
    await sandbox.write({ ...files, "tree/twice": bytes(100_000, 1) });
    proxy.sentBytes = 0;
    const first = await sandbox.json<object>("push", "tree", "acme/app@1");
    expect(first).toMatchObject({ new_object_count: 40, new_size: 4_000_000 });
    expect(proxy.sentBytes).toBeGreaterThan(4_000_000);
    expect(proxy.sentBytes).toBeLessThan(4_100_000);
    proxy.sentBytes = 0;
    const second = await sandbox.json<object>("push", "tree", "acme/app@2");
    expect(second).toMatchObject({ new_object_count: 0, new_size: 0 });
    // Requests, of half a kilobyte each.
    expect(proxy.sentBytes).toBeLessThan(60_000);
    await sandbox.ok("pull", "acme/app@2", "out");
    const tree = await describeTree(sandbox.path("tree"));
    expect(await describeTree(sandbox.path("out"))).toEqual(tree);
  });

  it("that was killed in a large file goes on where it was", async () => {
    await using counted = await countedServer();
    const { sandbox, proxy, data } = counted;
    const sizeBytes = 160 * mebibyte;
    await sandbox.write({ large: bytes(sizeBytes, 1) });
    proxy.sentBytes = 0;
    const push = sandbox.start("push", "large", "acme/large@1");
    await eventually(async () => proxy.sentBytes > 64 * mebibyte);
    push.child.kill("SIGKILL");
    await push.answer;
    const before = proxy.sentBytes;
    expect(before).toBeLessThan(sizeBytes);
    proxy.sentBytes = 0;
    await sandbox.ok("push", "large", "acme/large@1");
    // What had arrived is not sent again.
    expect(proxy.sentBytes).toBeLessThan(sizeBytes - 32 * mebibyte);
    expect((await sandbox.ok("verify", "acme/large@1")).stdout).toContain("all whole");
    // The package of the push that was killed lapses.
    expect(await unfinished(data)).toMatchObject({ open: 1 });
  });

  it("that Ctrl-C ends, or whose file changes, leaves no open package", async () => {
    await using counted = await countedServer();
    const { sandbox, proxy, data } = counted;
    const args = ["push", "-", "acme/app@1", "--path", "stream"];
    const push = sandbox.start(...args);
    push.child.stdin.write(Buffer.alloc(5_000_000, 1));
    await eventually(async () => proxy.sentBytes > 4_000_000);
    push.child.kill("SIGINT");
    expect(await push.answer).toMatchObject({ exitCode: 130, stdout: "" });
    expect(await unfinished(data)).toMatchObject({ open: 0 });

    const path = sandbox.path("growing");
    await writeFile(path, "x");
    await truncate(path, 4 * 1024 * mebibyte);
    proxy.sentBytes = 0;
    const changed = sandbox.start("push", path, "acme/app@1");
    await eventually(async () => proxy.sentBytes > 16 * mebibyte);
    await truncate(path, 10);
    const { exitCode, stderr } = await changed.answer;
    expect(stderr).toContain("growing changed while it was being read");
    expect(exitCode).toBe(4);
    expect(await unfinished(data)).toMatchObject({ open: 0 });
    // The coordinates are free.
    await sandbox.ok("push", path, "acme/app@1");
  });
});

describe("the log of a server", () => {
  it("is followed until Ctrl-C, in order", async () => {
    await using counted = await countedServer();
    const { sandbox } = counted;
    await sandbox.write({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const types = ["--type", "v1.package.finalized", "--type", "v1.tag.set"];
    const follow = sandbox.start("log", "--follow", "--json", ...types);
    const seen: string[] = [];
    createInterface({ input: follow.child.stdout }).on("line", (line) => {
      seen.push((JSON.parse(line) as { subject: string }).subject.replace(/#.*/, ""));
    });
    await eventually(async () => seen.length === 1);
    await sandbox.ok("push", "tree", "acme/app@2", "--tag", "stable");
    await eventually(async () => seen.length === 3);
    follow.child.kill("SIGINT");
    expect(await follow.answer).toMatchObject({ exitCode: 130, stderr: "" });
    expect(seen).toEqual(["acme/app@1", "acme/app@2", "acme/app:stable"]);
    await using instance = await lookInto(sandbox.path("data"));
    const { size } = await instance.registry.head();
    const all = (await sandbox.ok("log")).stdout.trimEnd().split("\n");
    expect(all).toHaveLength(size);
  });
});
