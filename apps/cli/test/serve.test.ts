import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";

import { describe, expect, it } from "vitest";

import { lookInto } from "./instance.ts";
import { Sandbox, type StoreProcess } from "./store.ts";

/** Starts a server on a free port, and waits until it says where it listens. */
async function startServer(
  sandbox: Sandbox,
  args: readonly string[] = [],
): Promise<StoreProcess & { url: string; line: string }> {
  const server = sandbox.start("serve", "--port", "0", ...args);
  const line = await Promise.race([firstLine(server), server.answer.then(({ stderr }) => stderr)]);
  const url = /http:\/\/[^"\s]+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`The server said: ${line}`);
  return { ...server, url, line };
}

interface Listening {
  url: string;
  setup_token?: string;
}

async function firstLine({ child }: StoreProcess): Promise<string> {
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return line;
}

describe("store serve", () => {
  it("makes the instance, says where it listens, and is ready", async () => {
    await using sandbox = await Sandbox.create();
    const server = await startServer(sandbox);
    expect(server.line).toMatch(/^Store listens on http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const ready = await fetch(`${server.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: "ready" });
    server.child.kill("SIGTERM");
    expect((await server.answer).exitCode).toBe(0);
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends well with %s, and can begin again",
    async (signal) => {
      await using sandbox = await Sandbox.create();
      for (let round = 0; round < 2; round += 1) {
        const server = await startServer(sandbox, ["--json"]);
        const { setup_token: setupToken, ...rest } = JSON.parse(server.line) as Listening;
        expect(rest).toEqual({ url: server.url });
        // Once: the second start has nothing to tell.
        expect(setupToken).toEqual(round === 0 ? expect.stringMatching(/^store_/) : undefined);
        server.child.kill(signal);
        expect(await server.answer).toMatchObject({ exitCode: 0, stderr: "" });
        await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
      }
    },
  );

  it("shares its instance with the command line", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a" });
    const server = await startServer(sandbox);
    await sandbox.ok("push", "tree", "acme/app@1");
    const ready = (await (await fetch(`${server.url}/health/ready`)).json()) as {
      checks: { log: { size: number } };
    };
    await using instance = await lookInto(sandbox.path("data"));
    expect(ready.checks.log.size).toBe((await instance.registry.head()).size);
    server.child.kill("SIGTERM");
    await server.answer;
  });

  it("says which port another server has", async () => {
    await using sandbox = await Sandbox.create();
    const server = await startServer(sandbox);
    const { port } = new URL(server.url);
    const second = await sandbox.store(["serve", "--port", port, "--data", "other"]);
    expect(second.exitCode).toBe(7);
    expect(second.stderr).toContain(`Cannot listen on 127.0.0.1:${port}: another process does`);
    server.child.kill("SIGTERM");
    await server.answer;
  });

  it.runIf(process.platform === "linux")("waits for the disk in sixteen threads", async () => {
    await using sandbox = await Sandbox.create();
    const { child, url } = await startServer(sandbox);
    // Its check of the backend waits for the disk, and the first wait starts all threads.
    await fetch(`${url}/health/ready`);
    const threads = await readdir(`/proc/${child.pid}/task`);
    expect(threads.length).toBeGreaterThan(16);
  });

  it("refuses a port that is none", async () => {
    await using sandbox = await Sandbox.create();
    expect((await sandbox.store(["serve", "--port", "65536"])).exitCode).toBe(2);
    const env = { STORE_PORT: "http" };
    const fromEnvironment = await sandbox.store(["serve"], { env });
    expect(fromEnvironment.exitCode).toBe(2);
    expect(fromEnvironment.stderr).toContain("STORE_PORT is 'http'");
  });
});
