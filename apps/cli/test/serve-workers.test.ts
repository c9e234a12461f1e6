import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { freePort } from "@store/testing/free-port";
import { describe, expect, it } from "vitest";

import { childrenOf } from "./children.ts";
import { Sandbox, type StoreProcess } from "./store.ts";

/** Starts a server of several processes, and waits until it listens. */
async function startWorkers(sandbox: Sandbox): Promise<StoreProcess & { url: string }> {
  // Where all workers have ended, those after them must find the same port.
  const port = String(await freePort());
  const server = sandbox.start("serve", "--port", port, "--workers", "2");
  const [line] = (await once(createInterface({ input: server.child.stdout }), "line")) as [string];
  const url = /http:\/\/\S+/.exec(line)?.[0] ?? "";
  return { ...server, url };
}

const patience = { timeout: 30_000, interval: 100 };

describe("store serve --workers", () => {
  it("answers by several processes, starts another for one that is killed, and ends all", async () => {
    await using sandbox = await Sandbox.create();
    const server = await startWorkers(sandbox);
    const { pid } = server.child;
    await expect.poll(() => childrenOf(pid), patience).toHaveLength(2);
    const [first = 0] = await childrenOf(pid);
    process.kill(first, "SIGKILL");
    await expect
      .poll(async () => (await childrenOf(pid)).filter((child) => child !== first), patience)
      .toHaveLength(2);
    await expect
      .poll(() => fetch(`${server.url}/health/ready`).then((response) => response.status), patience)
      .toBe(200);
    server.child.kill("SIGTERM");
    const { exitCode, stderr } = await server.answer;
    expect(exitCode).toBe(0);
    expect(stderr).toContain("A worker ended (SIGKILL); another is started.");
    expect(await childrenOf(pid)).toEqual([]);
  });

  it("leaves no worker behind where the process that started them is killed", async () => {
    await using sandbox = await Sandbox.create();
    const server = await startWorkers(sandbox);
    const workers = await childrenOf(server.child.pid);
    expect(workers.length).toBeGreaterThan(0);
    server.child.kill("SIGKILL");
    const isAlive = (processId: number) =>
      readFile(`/proc/${processId}/stat`, "utf8").then(
        (status) => !/\) Z /.test(status),
        () => false,
      );
    await expect
      .poll(async () => (await Promise.all(workers.map(isAlive))).includes(true), patience)
      .toBe(false);
  });

  it("says why where no worker can listen", async () => {
    await using sandbox = await Sandbox.create();
    const server = await startWorkers(sandbox);
    const { port } = new URL(server.url);
    const second = await sandbox.store(["serve", "--port", port, "--workers", "2", "--data", "b"]);
    expect(second.exitCode).not.toBe(0);
    expect(second.stderr).toContain(`Cannot listen on 127.0.0.1:${port}`);
  });
});
