import { readdir, truncate, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";

import type { OpenedFile, Registry } from "@store/registry";
import { describe, expect, it } from "vitest";

import { pullPackage } from "../src/lib/pull.ts";
import { localStore } from "../src/lib/store-service.ts";
import { eventually, lookInto, unfinished } from "./instance.ts";
import { Sandbox, type StoreProcess } from "./store.ts";

const nothing = { staged: 0, open: 0 };

/** A push in the middle of a large stdin, which stays open: it cannot end by itself. */
async function startPush(sandbox: Sandbox): Promise<StoreProcess> {
  const args = ["push", "-", "acme/app@1.0.0", "--path", "stream"];
  const push = sandbox.start(...args);
  push.child.stdin.write(Buffer.alloc(5_000_000, 1));
  await eventually(async () => {
    const { staged, open } = await unfinished(sandbox.path("data")).catch(() => nothing);
    return staged === 1 && open === 1;
  });
  return push;
}

describe("a push", () => {
  it.each([
    { signal: "SIGINT", exitCode: 130 },
    { signal: "SIGTERM", exitCode: 143 },
    { signal: "SIGHUP", exitCode: 129 },
  ] as const)(
    "that $signal ends leaves no staged bytes and no open package",
    async ({ signal, exitCode }) => {
      await using sandbox = await Sandbox.create();
      await sandbox.ok("migrate");
      const push = await startPush(sandbox);
      push.child.kill(signal);
      const answer = await push.answer;
      expect(answer).toMatchObject({ exitCode, stdout: "" });
      expect(answer.stderr).toContain("Interrupted");
      expect(await unfinished(sandbox.path("data"))).toEqual(nothing);
      // The coordinates are free again.
      await sandbox.write({ "tree/a": "a" });
      await sandbox.ok("push", "tree", "acme/app@1.0.0");
    },
  );

  it("in the middle of many files leaves nothing either", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/small": "small", "tree/sub/small": "too" });
    for (const name of ["a", "b", "c"]) {
      const path = sandbox.path("tree", name);
      await writeFile(path, name);
      // Sparse: takes no space here, and seconds to push.
      await truncate(path, 4 * 1024 ** 3);
    }
    await sandbox.ok("migrate");
    const push = sandbox.start("push", "tree", "acme/app@1");
    await eventually(async () => {
      const { staged } = await unfinished(sandbox.path("data")).catch(() => nothing);
      return staged > 0;
    });
    push.child.kill("SIGINT");
    expect((await push.answer).exitCode).toBe(130);
    expect(await unfinished(sandbox.path("data"))).toEqual(nothing);
  });

  it("ends at once on the second Ctrl-C, whatever it waits for", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.ok("migrate");
    const push = await startPush(sandbox);
    // Abandoning needs the writer's lock, which is held here.
    const database = new DatabaseSync(sandbox.path("data/store.db"));
    database.exec("BEGIN IMMEDIATE");
    push.child.kill("SIGINT");
    await eventually(async () => {
      push.child.kill("SIGINT");
      return push.child.exitCode !== null;
    });
    // It did not get as far as telling that the package stays.
    expect(await push.answer).toMatchObject({ exitCode: 130, stderr: "" });
    database.close();
    expect(await unfinished(sandbox.path("data"))).toMatchObject({ open: 1 });
  });

  it("whose file changes under its hands is refused and leaves nothing", async () => {
    await using sandbox = await Sandbox.create();
    const path = sandbox.path("growing");
    await writeFile(path, "x");
    await truncate(path, 4 * 1024 ** 3);
    await sandbox.ok("migrate");
    const push = sandbox.start("push", path, "acme/app@1");
    await eventually(async () => {
      const { staged } = await unfinished(sandbox.path("data")).catch(() => nothing);
      return staged > 0;
    });
    await truncate(path, 10);
    const { exitCode, stderr } = await push.answer;
    expect(stderr).toContain("growing changed while it was being read");
    expect(exitCode).toBe(4);
    expect(await unfinished(sandbox.path("data"))).toEqual(nothing);
  });
});

describe("a pull", () => {
  it("that is interrupted leaves the folder as it was", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a", "tree/b/c": Buffer.alloc(4_000_000), "out/kept": "" });
    await sandbox.ok("push", "tree", "acme/app@1");
    await using instance = await lookInto(sandbox.path("data"));
    const { package: info } = await instance.registry.resolve("acme/app@1");
    for (const folder of ["out", "new/folder"]) {
      const interruption = new AbortController();
      const { registry } = instance;
      const store = { ...localStore(registry), getFile: endless(registry, interruption) };
      const request = { package: info, folder: sandbox.path(folder), force: false };
      await expect(pullPackage(store, request, interruption.signal)).rejects.toThrow("Enough.");
    }
    expect(await readdir(sandbox.path("out"))).toEqual(["kept"]);
    expect(await readdir(sandbox.folder)).not.toContain("new");
  });
});

/** Files whose second chunk never comes; the interruption comes instead. */
function endless(registry: Registry, interruption: AbortController): Registry["getFile"] {
  return async (packageId, path, options): Promise<OpenedFile> => {
    const opened = await registry.getFile(packageId, path, options);
    async function* body() {
      for await (const chunk of opened.body) {
        yield chunk;
        interruption.abort(new Error("Enough."));
        options?.signal?.throwIfAborted();
      }
    }
    return { ...opened, body: body() };
  };
}
