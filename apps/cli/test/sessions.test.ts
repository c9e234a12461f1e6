import { chmod, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { password, sandboxWithServer, withPassword } from "./server.ts";
import { runBuiltStore, Sandbox } from "./store.ts";

runBuiltStore();

const folder = ".config/store";
const file = `${folder}/credentials.json`;

interface Kept {
  servers: Record<string, { username: string; access_token: string; refresh_token: string }>;
}

async function kept(sandbox: Sandbox, path = file): Promise<Kept> {
  return JSON.parse(await readFile(sandbox.path(path), "utf8")) as Kept;
}

async function secretsIn(sandbox: Sandbox): Promise<string[]> {
  const { servers } = await kept(sandbox);
  return Object.values(servers).flatMap((one) => [one.access_token, one.refresh_token]);
}

describe("a session", () => {
  it("is kept for its owner alone, one for each server, and wherever it is told to be", async () => {
    await using one = await sandboxWithServer();
    await using other = await sandboxWithServer();
    const { sandbox, server } = one;
    await withPassword(sandbox, ["login", "ada", "--server", `${other.server.url}/`]);
    expect(Object.keys((await kept(sandbox)).servers)).toEqual([server.url, other.server.url]);
    expect((await stat(sandbox.path(file))).mode & 0o777).toBe(0o600);
    expect((await stat(sandbox.path(folder))).mode & 0o777).toBe(0o700);
    expect(await readdir(sandbox.path(folder))).toEqual([
      "credentials.json",
      "credentials.json.lock",
    ]);
    const settings = { XDG_CONFIG_HOME: sandbox.path("settings") };
    await withPassword(sandbox, ["login", "ada"], settings);
    expect(Object.keys((await kept(sandbox, "settings/store/credentials.json")).servers)).toEqual([
      server.url,
    ]);
    // A link stays one, so that settings may lie elsewhere.
    await writeFile(sandbox.path("kept.json"), await readFile(sandbox.path(file)), { mode: 0o600 });
    await symlink(sandbox.path("kept.json"), sandbox.path("link.json"));
    const linked = { STORE_CREDENTIALS: "link.json" };
    expect((await sandbox.store(["logout"], { env: linked })).exitCode).toBe(0);
    expect(Object.keys((await kept(sandbox, "kept.json")).servers)).toEqual([other.server.url]);
  });

  it("is not used where others may read it, as they may have", async () => {
    await using sandbox = await Sandbox.create();
    const env = { STORE_URL: "http://127.0.0.1:9", STORE_CREDENTIALS: "mine.json" };
    for (const mode of [0o644, 0o640, 0o606]) {
      await writeFile(sandbox.path("mine.json"), '{"version":1,"servers":{}}');
      await chmod(sandbox.path("mine.json"), mode);
      const answer = await sandbox.store(["ls"], { env });
      expect(answer.exitCode).toBe(5);
      expect(answer.stderr).toContain(`is open to others (its mode is 0${mode.toString(8)})`);
      expect(answer.stderr).toContain("chmod 600");
    }
    // What is wrong in it is not quoted.
    await writeFile(sandbox.path("mine.json"), '{"version":1,"servers":secret');
    await chmod(sandbox.path("mine.json"), 0o600);
    const broken = await sandbox.store(["ls", "--json"], {
      env: { ...env, STORE_DEBUG: "1" },
    });
    expect(broken).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("store login") });
    expect(broken.stderr + broken.stdout).not.toContain("secret");
  });

  it("is refreshed by one process while others wait, and none of them ends it", async () => {
    await using started = await sandboxWithServer({ STORE_ACCESS_TOKEN_SECONDS: "1" });
    const { sandbox } = started;
    for (let round = 0; round < 2; round += 1) {
      const before = await secretsIn(sandbox);
      // Past the token's life and what clocks may differ, so that each finds it ended.
      await setTimeout(1_100);
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => sandbox.store(["whoami", "--json"])),
      );
      for (const answer of answers) expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
      expect(await secretsIn(sandbox)).not.toEqual(before);
    }
  });

  it("that another has ended says so, is forgotten, and is begun again by logging in", async () => {
    await using started = await sandboxWithServer({ STORE_ACCESS_TOKEN_SECONDS: "1" });
    const { sandbox, server } = started;
    const env = { STORE_CREDENTIALS: "stolen.json" };
    await writeFile(sandbox.path("stolen.json"), await readFile(sandbox.path(file)), {
      mode: 0o600,
    });
    await setTimeout(1_100);
    await sandbox.ok("ls");
    // A thief who refreshes with the same token ends the session for both.
    const thief = await sandbox.store(["ls"], { env });
    expect(thief.exitCode).toBe(5);
    expect(thief.stderr).toContain(`The session at ${server.url} has ended`);
    expect(thief.stderr).toContain(`store login --server ${server.url}`);
    expect((await kept(sandbox, "stolen.json")).servers).toEqual({});
    await setTimeout(1_100);
    expect((await sandbox.store(["ls"])).exitCode).toBe(5);
    await withPassword(sandbox, ["login", "ada"]);
    await sandbox.ok("ls");
  });

  it("ends at the server with logging out, or is forgotten and said to live on", async () => {
    await using started = await sandboxWithServer();
    const { sandbox, server } = started;
    const [accessToken = ""] = await secretsIn(sandbox);
    expect(await sandbox.json("logout")).toEqual({
      server: server.url,
      forgotten: true,
      ended: true,
    });
    const old = await sandbox.store(["whoami"], { env: { STORE_TOKEN: accessToken } });
    expect(old.exitCode).toBe(5);
    expect((await sandbox.ok("logout")).stdout).toBe(`There was no session at ${server.url}\n`);

    await withPassword(sandbox, ["login", "ada"]);
    server.child.kill("SIGTERM");
    await server.answer;
    const away = await sandbox.store(["logout", "--json"]);
    expect(away.exitCode).toBe(0);
    expect(JSON.parse(away.stdout)).toMatchObject({ forgotten: true, ended: false });
    expect(away.stderr).toContain(`lives on at ${server.url}, until 20`);
    expect(await kept(sandbox)).toEqual({ version: 1, servers: {} });
  });
});

describe("a password", () => {
  it("is asked for without being shown, and Ctrl-C ends the question", async () => {
    await using started = await sandboxWithServer();
    const { sandbox } = started;
    await sandbox.ok("logout");
    const terminal = sandbox.startOnTerminal("login");
    await terminal.shows("Username: ");
    terminal.type("ada\r");
    await terminal.shows("Password: ");
    terminal.type(`${password}\r`);
    const { exitCode, stdout } = await terminal.answer;
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("as ada"),
    });
    expect(stdout).not.toContain(password);

    const left = sandbox.startOnTerminal("user", "create", "bob");
    await left.shows("Password of bob: ");
    left.type("\u0003");
    expect((await left.answer).exitCode).toBe(130);
    const twice = sandbox.startOnTerminal("user", "create", "bob");
    await twice.shows("Password of bob: ");
    twice.type(`${password}\r`);
    await twice.shows("Password of bob again: ");
    twice.type(`${password}x\r`);
    const unlike = await twice.answer;
    expect(unlike).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("not the same") });
    const { users } = await sandbox.json<{ users: unknown[] }>("user", "list");
    expect(users).toHaveLength(1);
  });

  it("that is wrong, or that nobody can be asked for, is refused before anything is kept", async () => {
    await using started = await sandboxWithServer();
    const { sandbox, server } = started;
    await sandbox.ok("logout");
    const nobody = await sandbox.store(["login", "ada"]);
    expect(nobody).toMatchObject({ exitCode: 2 });
    expect(nobody.stderr).toContain("--password-stdin");
    const options = { stdin: "wrong\n", env: { STORE_DEBUG: "1" } };
    const wrong = await sandbox.store(["login", "ada", "--password-stdin"], options);
    expect(wrong.exitCode).toBe(5);
    expect(wrong.stderr).toContain("Check the username and the password");
    expect(wrong.stderr).not.toContain("wrong\n");
    expect(await kept(sandbox)).toEqual({ version: 1, servers: {} });
    const elsewhere = await sandbox.store(["login", "ada", "--data", "data"], { stdin: "x" });
    expect(elsewhere).toMatchObject({ exitCode: 2 });
    expect((await sandbox.store(["ls"])).stderr).toContain(`store login --server ${server.url}`);
  });
});

describe("a server that is not there", () => {
  it("is exit code 7, with its address; one that is no server's is exit code 2", async () => {
    await using sandbox = await Sandbox.create();
    const env = { STORE_URL: "http://127.0.0.1:9" };
    const away = await sandbox.store(["ls", "--json"], { env });
    expect(away.exitCode).toBe(7);
    expect(away.stderr).toContain("Cannot reach http://127.0.0.1:9.");
    expect(away.stderr).toContain("ECONNREFUSED");
    for (const url of ["example.org", "ftp://example.org", "http://ada:secret@example.org"]) {
      const wrong = await sandbox.store(["ls", "--server", url]);
      expect(wrong.exitCode).toBe(2);
      expect(wrong.stderr).not.toContain("secret");
    }
    expect((await sandbox.store(["ls", "--server", "http://x", "--data", "y"])).exitCode).toBe(2);
    expect((await sandbox.store(["serve", "--server", "http://x"])).exitCode).toBe(2);
    expect((await sandbox.store(["login"])).stderr).toContain("STORE_URL");
    // What is given on the command line wins.
    expect((await sandbox.store(["ls", "--data", "none"], { env })).exitCode).toBe(3);
  });

  it("is told from one that speaks no TLS", async () => {
    await using served = await sandboxWithServer();
    const url = served.server.url.replace("http:", "https:");
    const { exitCode, stderr } = await served.sandbox.store(["ls", "--server", url]);
    expect(exitCode).toBe(7);
    expect(stderr).toMatch(/^error: .* does not speak TLS\.\nhint: .*http:\.\n$/);
  });
});

describe("what a server refuses for want of a scope", () => {
  it("is told with where scopes are seen and who grants them", async () => {
    await using served = await sandboxWithServer();
    const { sandbox } = served;
    await withPassword(sandbox, ["user", "create", "bob"]);
    await withPassword(sandbox, ["login", "bob"]);
    const { exitCode, stderr } = await sandbox.store(["user", "list"]);
    expect(exitCode).toBe(5);
    expect(stderr).toContain("an administrator grants scopes");
  });
});
