import { readdir } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { password, startServer, withPassword } from "./server.ts";
import { Sandbox } from "./store.ts";

interface Listening {
  url: string;
  setup_token?: string;
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
        const { exitCode, stderr } = await server.answer;
        expect(exitCode).toBe(0);
        expect(stderr.replaceAll(/^background work (?:begins|ends) here\n/gm, "")).toBe("");
        await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
      }
    },
  );

  it("shares its instance with the command line", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a" });
    const { url } = await startServer(sandbox);
    await sandbox.ok("push", "tree", "acme/app@1");
    // Whoever has the instance at hand makes users without the setup token.
    await withPassword(sandbox, ["user", "create", "ada"]);
    await withPassword(sandbox, ["login", "ada", "--server", url]);
    const read = await sandbox.ok("cat", "acme/app@1", "a", "--server", url);
    expect(read.stdout).toBe("a");
  });

  it("tells on its first start what to type next, and the setup token that this takes", async () => {
    await using sandbox = await Sandbox.create();
    const server = await startServer(sandbox);
    server.child.kill("SIGTERM");
    const { stdout, stderr } = await server.answer;
    const [, token, command] =
      /STORE_TOKEN=(\S+) store (user create <name> .*)$/m.exec(stdout) ?? [];
    expect(stderr).not.toContain(token);
    const again = await startServer(sandbox);
    const args = (command ?? "").replace("<name>", "ada").replace(server.url, again.url).split(" ");
    const env = { STORE_TOKEN: token ?? "" };
    const stdin = `${password}\n`;
    const created = await sandbox.store([...args, "--password-stdin"], { env, stdin });
    expect(created).toMatchObject({
      exitCode: 0,
      stdout: "ada is created, with admin:*, metrics\n",
    });
    // It made the first user, and makes no other.
    const more = [...args.map((word) => (word === "ada" ? "bob" : word)), "--password-stdin"];
    expect((await sandbox.store(more, { env, stdin })).exitCode).toBe(5);
    again.child.kill("SIGTERM");
    expect((await again.answer).stdout).not.toContain(token);
    const third = await startServer(sandbox);
    third.child.kill("SIGTERM");
    expect((await third.answer).stdout).toBe(`${third.line}\n`);
  });

  it.each([1, 2])(
    "says at every start of %i workers how the first user is made without the token",
    async (workers) => {
      await using sandbox = await Sandbox.create();
      const said: string[] = [];
      for (let round = 0; round < 2; round += 1) {
        const server = await startServer(sandbox, ["--workers", String(workers)]);
        server.child.kill("SIGTERM");
        said.push((await server.answer).stdout);
      }
      const command = /^ {2}store (user create <name> --data .*)$/m;
      const [, first] = command.exec(said[0] ?? "") ?? [];
      const [, second] = command.exec(said[1] ?? "") ?? [];
      expect(second).toBe(first);
      expect(said[1]).not.toContain("STORE_TOKEN");
      await withPassword(sandbox, (second ?? "").replace("<name>", "ada").split(" "));
      expect((await sandbox.ok("user", "list")).stdout).toContain("ada");
    },
  );

  it("says what the setup token is for where it is used for more", async () => {
    await using sandbox = await Sandbox.create();
    const { url, line } = await startServer(sandbox, ["--json"]);
    const { setup_token: token = "" } = JSON.parse(line) as Listening;
    const env = { STORE_TOKEN: token };
    const { exitCode, stderr } = await sandbox.store(["whoami", "--server", url], { env });
    expect(exitCode).toBe(5);
    expect(stderr).toContain("The setup token only makes the first user.");
    expect(stderr).not.toContain("scope");
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
