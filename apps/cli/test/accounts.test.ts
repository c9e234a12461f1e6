import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { eventually, lookInto } from "./instance.ts";
import { password, sandboxWithServer, withPassword } from "./server.ts";
import { runBuiltStore } from "./store.ts";

runBuiltStore();

describe("a token", () => {
  it("is printed alone, does what it may, and nothing once it is revoked", async () => {
    await using started = await sandboxWithServer();
    const { sandbox } = started;
    await sandbox.write({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    await sandbox.ok("push", "tree", "other/app@1");
    const scope = ["--scope", "read:acme/*"];
    const { stdout } = await sandbox.ok("token", "create", "ci", ...scope, "--expires", "30d");
    expect(stdout).toMatch(/^store_\w+\n$/);
    const env = { STORE_TOKEN: stdout };
    const me = await sandbox.store(["whoami", "--json"], { env });
    expect(JSON.parse(me.stdout)).toMatchObject({
      kind: "token",
      scopes: ["read:acme/*"],
      credential: "token",
      expires_at: expect.stringMatching(/^20/),
    });
    expect((await sandbox.store(["cat", "acme/app", "a"], { env })).stdout).toBe("a");
    expect((await sandbox.store(["cat", "other/app", "a"], { env })).exitCode).toBe(3);
    expect((await sandbox.store(["push", "tree", "acme/app@2"], { env })).exitCode).toBe(5);
    const { tokens } = await sandbox.json<{ tokens: { id: string; name: string }[] }>(
      "token",
      "list",
    );
    const ci = tokens.find(({ name }) => name === "ci");
    await sandbox.ok("token", "revoke", ci?.id ?? "");
    // For two seconds a server may remember that it was good; this one revoked it itself.
    const revoked = await sandbox.store(["ls"], { env: { ...env, STORE_DEBUG: "1" } });
    expect(revoked.exitCode).toBe(5);
    expect(revoked.stderr).toContain("Check STORE_TOKEN");
    expect(revoked.stderr).not.toContain(stdout.trim());
    expect((await sandbox.store(["token", "create", "x", "--expires", "soon"])).exitCode).toBe(2);
  });

  it("is shown to the server that is set beside it, and to no other", async () => {
    await using one = await sandboxWithServer();
    await using other = await sandboxWithServer();
    const { stdout } = await one.sandbox.ok("token", "create", "ci");
    const env = { STORE_TOKEN: stdout.trim() };
    const elsewhere = ["whoami", "--server", other.server.url];
    const answer = await one.sandbox.store(elsewhere, { env });
    expect(answer.stderr).toContain("needs a credential");
    // Where no server is set it is for the one that is named.
    const named = ["whoami", "--server", one.server.url, "--json"];
    const mine = await one.sandbox.store(named, { env: { ...env, STORE_URL: "" } });
    expect(mine.exitCode).toBe(0);
  });
});

describe("people", () => {
  it("are let in, given scopes, shut out and let in again, at a server and beside it", async () => {
    await using started = await sandboxWithServer();
    const { sandbox, server } = started;
    await withPassword(sandbox, ["user", "create", "bob", "--scope", "read:acme/*"]);
    const bob = { STORE_CREDENTIALS: "bob.json" };
    await withPassword(sandbox, ["login", "bob"], bob);
    const asBob = (...args: string[]) => sandbox.store(args, { env: bob });
    expect((await asBob("user", "list")).exitCode).toBe(5);
    const scopes = ["user", "scopes", "bob", "--scope", "read:*", "--scope", "write:bob/*"];
    expect((await sandbox.ok(...scopes)).stdout).toContain("bob has read:*, write:bob/*");
    expect((await asBob("token", "create", "own", "--scope", "read:bob/*")).exitCode).toBe(0);

    // One's own password takes two lines, and its new one must be good.
    const change = { env: bob, stdin: `${password}\n${password} too\n` };
    const own = await sandbox.store(["user", "password", "--password-stdin"], change);
    expect(own).toMatchObject({ exitCode: 0, stdout: "Your password is changed\n" });
    const short = { env: bob, stdin: `${password} too\nshort\n` };
    const refused = await sandbox.store(["user", "password", "--password-stdin"], short);
    expect(refused.exitCode).toBe(2);
    await withPassword(sandbox, ["user", "password", "bob"]);
    await withPassword(sandbox, ["login", "bob"], bob);

    // The operator of the instance does the same beside the server, without a credential.
    const here = ["--data", "data"];
    expect((await sandbox.ok("user", "disable", "bob", ...here)).stdout).toBe("bob is disabled\n");
    await eventually(async () => (await asBob("ls")).exitCode === 5);
    const { users } = await sandbox.json<{ users: object[] }>("user", "list");
    expect(users).toMatchObject([
      { username: "ada", scopes: ["admin:*", "metrics"] },
      { username: "bob", disabled_at: expect.any(String) },
    ]);
    await sandbox.ok("user", "enable", "bob", ...here);
    await withPassword(sandbox, ["login", "bob"], bob);
    const token = ["token", "create", "backup", "--owner", "bob", "--scope", "read:*", ...here];
    const { stdout } = await sandbox.ok(...token);
    const env = { STORE_TOKEN: stdout.trim() };
    const me = await sandbox.store(["whoami", "--json"], { env });
    expect(JSON.parse(me.stdout)).toMatchObject({ username: "bob", scopes: ["read:*"] });
    expect((await sandbox.store(["token", "create", "x", ...here])).exitCode).toBe(2);
    expect((await sandbox.store(["token", "create", "x", "--owner", "bob"])).exitCode).toBe(2);
    expect((await sandbox.store(["user", "disable", "eve"])).exitCode).toBe(3);
    expect((await sandbox.ok("whoami", ...here)).stdout).toContain("tester");

    // Nothing that anybody typed or was shown is in the log.
    server.child.kill("SIGTERM");
    const { stderr } = await server.answer;
    const file = await readFile(sandbox.path(".config/store/credentials.json"), "utf8");
    const kept = [...file.matchAll(/_token": "([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(kept).toHaveLength(2);
    const secrets = [...kept, stdout.trim(), password];
    await using instance = await lookInto(sandbox.path("data"));
    const { items } = await instance.registry.readEvents({ limit: 1000 });
    const log = items.map(({ payload }) => Buffer.from(payload).toString("latin1")).join("\n");
    for (const secret of secrets) expect(`${stderr}\n${log}`).not.toContain(secret);
  });
});
