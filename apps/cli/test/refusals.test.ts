import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

import { describe, expect, it } from "vitest";

import { runBuiltStore, Sandbox } from "./store.ts";
import { describeTree } from "./trees.ts";

runBuiltStore();

async function sandboxWith(files: Parameters<Sandbox["write"]>[0]): Promise<Sandbox> {
  const sandbox = await Sandbox.create();
  await sandbox.write(files);
  return sandbox;
}

describe("a tree that is pushed", () => {
  it("may not have a symbolic link, which is named with where it leads", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a", "tree/sub/b": "b" });
    await symlink("../a", sandbox.path("tree/sub/link"));
    const { exitCode, stderr } = await sandbox.store(["push", "tree", "acme/app@1"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("tree/sub/link is a symbolic link to ../a");
    expect(stderr).toContain("--follow");
    // It was refused before anything was stored.
    expect((await sandbox.ok("ls")).stdout).toBe("");
    expect((await sandbox.ok("log", "--type", "v1.package.created")).stdout).toBe("");
  });

  it("has what links point at where they are followed, files and folders", async () => {
    await using sandbox = await sandboxWith({
      "tree/a": "a",
      "outside/b": "b",
      "outside/c/d": "d",
    });
    await symlink("a", sandbox.path("tree/file"));
    await symlink("../outside", sandbox.path("tree/folder"));
    await sandbox.ok("push", "tree", "acme/app@1", "--follow");
    await sandbox.ok("pull", "acme/app@1", "out");
    const paths = (await describeTree(sandbox.path("out"))).map((line) => line.split(" ")[0]);
    expect(paths).toEqual(["a", "file", "folder/b", "folder/c/d"]);
  });

  it("may not lead back to itself where links are followed", async () => {
    await using sandbox = await sandboxWith({ "tree/sub/a": "a" });
    await symlink("..", sandbox.path("tree/sub/back"));
    const { exitCode, stderr } = await sandbox.store(["push", "tree", "acme/app@1", "--follow"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("tree/sub/back leads back to a folder that it lies in");
    const args = ["push", "tree", "acme/app@1", "--follow", "--exclude", "back"];
    expect((await sandbox.store(args)).exitCode).toBe(0);
  });

  it.each([
    { name: "nowhere", target: "missing", says: "which does not exist" },
    { name: "itself", target: "itself", says: "leads to itself" },
  ])("may not have a link to $name", async ({ name, target, says }) => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    await symlink(target, sandbox.path("tree", name));
    const { exitCode, stderr } = await sandbox.store(["push", "tree", "acme/app@1", "--follow"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(says);
  });

  it("may not have a pipe, and is not waited for", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    execFileSync("mkfifo", [sandbox.path("tree/pipe")]);
    const { exitCode, stderr } = await sandbox.store(["push", "tree", "acme/app@1"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("tree/pipe is a named pipe");
  });

  it("may not have a socket or a device", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    const server = createServer().listen(sandbox.path("tree/socket"));
    const socket = await sandbox.store(["push", "tree", "acme/app@1"]);
    expect(socket.exitCode).toBe(2);
    expect(socket.stderr).toContain("tree/socket is a socket");
    server.close();
    const device = await sandbox.store(["push", "/dev/null", "acme/app@1"]);
    expect(device.exitCode).toBe(2);
    expect(device.stderr).toContain("/dev/null is a character device");
  });

  it("may not have a name that is not UTF-8", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    await writeFile(Buffer.concat([Buffer.from(sandbox.path("tree/n")), Buffer.from([0xff])]), "");
    const { exitCode, stderr } = await sandbox.store(["push", "tree", "acme/app@1"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("not UTF-8");
  });

  it.each(["a\\b", "line\nbreak", "e\u0301", "aux.txt", "dot."])(
    "may not have the name %j",
    async (name) => {
      await using sandbox = await sandboxWith({ [`tree/${name}`]: "" });
      const { exitCode, stderr } = await sandbox.store(["push", "tree", "acme/app@1"]);
      expect(exitCode).toBe(2);
      expect(stderr.split("\n")).toHaveLength(3);
    },
  );

  it("never has the instance that it is pushed to", async () => {
    await using sandbox = await sandboxWith({ "a.txt": "a", "data/other": "" });
    await sandbox.ok("push", ".", "acme/app@1");
    await symlink("data", sandbox.path("link"));
    await sandbox.ok("push", ".", "acme/app@2", "--follow");
    for (const version of ["1", "2"]) {
      const { stdout } = await sandbox.ok("show", `acme/app@${version}`);
      expect(stdout).toMatch(/files +1 file,/);
    }
  });

  it("must have a file", async () => {
    await using sandbox = await sandboxWith({ "tree/a.log": "" });
    const { exitCode, stderr } = await sandbox.store([
      "push",
      "tree",
      "acme/app@1",
      "--exclude",
      "*.log",
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("There is no file to push");
  });
});

describe("a version that exists", () => {
  it("is a conflict, also with the same files", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const { exitCode, stderr } = await sandbox.store(["push", "tree", "acme/app@1"]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain("acme/app@1");
    expect((await sandbox.ok("verify", "--all")).stdout).toContain("1 package,");
  });
});

describe("a pull", () => {
  it("does not overwrite, and says what is in the way before it writes anything", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "new", "tree/z": "new", "out/z": "old" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const { exitCode, stderr } = await sandbox.store(["pull", "acme/app@1", "out"]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain("out/z cannot be written: a file is in the way");
    expect(await readdir(sandbox.path("out"))).toEqual(["z"]);
    expect(await readFile(sandbox.path("out/z"), "utf8")).toBe("old");
  });

  it("overwrites files where that is asked for, and leaves others alone", async () => {
    await using sandbox = await sandboxWith({
      "tree/s/z": "new",
      "out/s/z": "old",
      "out/s/y": "y",
    });
    await sandbox.ok("push", "tree", "acme/app@1");
    await sandbox.ok("pull", "acme/app@1", "out", "--force");
    expect(await readFile(sandbox.path("out/s/z"), "utf8")).toBe("new");
    expect((await readdir(sandbox.path("out/s"))).toSorted()).toEqual(["y", "z"]);
    expect(await readdir(sandbox.path("out"))).toEqual(["s"]);
  });

  it("never replaces a folder by a file", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "", "out/a/kept": "" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const { exitCode, stderr } = await sandbox.store(["pull", "acme/app@1", "out", "--force"]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain("a folder is in the way");
    expect(await readdir(sandbox.path("out/a"))).toEqual(["kept"]);
  });

  it("never goes through a symbolic link below its folder", async () => {
    await using sandbox = await sandboxWith({ "tree/sub/a": "a", "out/b": "", "outside/c": "" });
    await sandbox.ok("push", "tree", "acme/app@1");
    await symlink("../outside", sandbox.path("out/sub"));
    const { exitCode, stderr } = await sandbox.store(["pull", "acme/app@1", "out", "--force"]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain("a symbolic link is in the way");
    expect(await readdir(sandbox.path("outside"))).toEqual(["c"]);
  });

  it("replaces a symbolic link that stands where a file belongs, and not what it points at", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "new", "out/b": "", outside: "kept" });
    await sandbox.ok("push", "tree", "acme/app@1");
    await symlink("../outside", sandbox.path("out/a"));
    await sandbox.ok("pull", "acme/app@1", "out", "--force");
    expect(await readFile(sandbox.path("outside"), "utf8")).toBe("kept");
    expect(await readFile(sandbox.path("out/a"), "utf8")).toBe("new");
  });

  it("makes no folder where it fails", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a", file: "" });
    await sandbox.ok("push", "tree", "acme/app@1");
    expect((await sandbox.store(["pull", "acme/app@2", "new/er/out"])).exitCode).toBe(3);
    expect((await sandbox.store(["pull", "acme/app@1", "file"])).exitCode).toBe(4);
    expect((await sandbox.store(["pull", "acme/app@1", "file/out"])).exitCode).not.toBe(0);
    await expect(stat(sandbox.path("new"))).rejects.toThrow("ENOENT");
  });

  it("works into a folder that is there and empty, and through a link to it", async () => {
    await using sandbox = await sandboxWith({ "tree/sub/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    await mkdir(sandbox.path("real"));
    await symlink("real", sandbox.path("link"));
    await sandbox.ok("pull", "acme/app@1", "link");
    expect(await readdir(sandbox.path("real"))).toEqual(["sub"]);
  });
});

describe("what was typed wrongly", () => {
  it.each([
    { args: ["push", "tree", "acme/app"], says: "names no version" },
    { args: ["push", "tree", "Acme/app@1"], says: "Acme" },
    { args: ["push", "tree"], says: "misses PATHS" },
    { args: ["push", "tree", "acme/app@1", "--tag", "Not A Tag"], says: "Not A Tag" },
    { args: ["push", "tree", "acme/app@1", "--metadata", "{"], says: "not JSON" },
    { args: ["push", "tree", "acme/app@1", "--metadata", "[]"], says: "not an object" },
    { args: ["push", "tree", "acme/app@1", "--path", "x"], says: "'-' was not given" },
    { args: ["push", "-", "acme/app@1"], says: "Stdin has no name" },
    { args: ["push", "-", "-", "acme/app@1", "--path", "x"], says: "twice" },
    { args: ["push", "tree", "acme/app@1", "--exclude", "/"], says: "everything" },
    { args: ["ls", "--nope"], says: "does not know --nope" },
    { args: ["ls", "--jsn"], says: "Did you mean --json?" },
    { args: ["ls", "a", "b"], says: "Unexpected argument: b" },
    { args: ["ls", "--limit", "some"], says: "--limit" },
    { args: ["pusj", "x"], says: "Did you mean `store push`?" },
    { args: ["schema", "lst"], says: "Did you mean `store schema list`?" },
    { args: ["verify"], says: "Verify one package or all" },
    { args: ["verify", "acme/app", "--all"], says: "Verify one package or all" },
    { args: ["manifest", "acme/app", "--json", "--format", "cbor"], says: "exclude each other" },
    { args: ["untag", "acme/app@1"], says: "is not a tag" },
    { args: ["hold", "place", "acme/app"], says: "--reason is missing" },
    { args: ["log", "--since", "some"], says: "--since takes an integer, not 'some'" },
    { args: ["migrate", "--fresh"], says: "nobody can be asked" },
    { args: ["show", "acme"], says: "acme" },
  ])("is usage: store $args", async ({ args, says }) => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    const { exitCode, stdout, stderr } = await sandbox.store([...args, "--data", "none"]);
    expect(stderr).toContain(says);
    expect(exitCode).toBe(2);
    if (!args.includes("--json")) expect(stdout).toBe("");
    // One line says what was wrong, one what to do.
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    // Nothing was made on the way.
    await expect(stat(sandbox.path("none"))).rejects.toThrow("ENOENT");
  });

  it("may be a path that does not exist", async () => {
    await using sandbox = await sandboxWith({});
    const { exitCode, stderr } = await sandbox.store(["push", "missing", "acme/app@1"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("Cannot read missing: there is no such file or folder");
    expect(stderr).toContain("hint: Check the path.\n");
  });

  it("is told as a JSON document, too, and nothing else on stdout", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    for (const args of [["show", "acme/none"], ["ls", "--nope"], ["nonsense"]]) {
      const { stdout, stderr } = await sandbox.store([...args, "--json"]);
      expect(JSON.parse(stdout)).toMatchObject({
        error: { code: expect.any(String), message: expect.any(String) },
      });
      expect(stderr).toMatch(/^error: /);
    }
  });
});

describe.runIf(process.platform === "linux")("an answer that stdout does not take", () => {
  it.each(["log", "log --json", "health"])("is told in a line: store %s", async (words) => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const { exitCode, stderr } = await sandbox.store(words.split(" "), {
      stdoutPath: "/dev/full",
    });
    expect(exitCode).toBe(7);
    expect(stderr).toMatch(/^error: Cannot write to stdout: no space is left\.\nhint: .+\n$/);
  });
});

describe("an instance whose objects are not there", () => {
  it("is refused and gets no empty folder in their place", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    await rename(sandbox.path("data/objects"), sandbox.path("elsewhere"));
    for (const words of [["ls"], ["push", "tree", "acme/app@2"], ["health"], ["serve"]]) {
      const { exitCode, stderr } = await sandbox.store(words);
      expect(stderr).toContain(`${sandbox.path("data/objects")} has no format.json`);
      expect(exitCode).toBe(7);
    }
    // A mount point without its disk is there, but empty.
    await mkdir(sandbox.path("data/objects"));
    expect((await sandbox.store(["ls"])).exitCode).toBe(7);
    expect(await readdir(sandbox.path("data/objects"))).toEqual([]);
    await rename(sandbox.path("elsewhere"), sandbox.path("data/objects"));
    await sandbox.ok("verify", "--all");
  });
});

describe("a place where no instance can be", () => {
  it("is named: a file, or a folder below one", async () => {
    await using sandbox = await sandboxWith({ file: "", "tree/a": "a" });
    for (const data of ["file", "file/data"]) {
      const answer = await sandbox.store(["push", "tree", "acme/app@1", "--data", data]);
      expect(answer.exitCode).toBe(2);
      expect(answer.stderr).toContain(`Cannot make the folder ${sandbox.path(data)}`);
    }
  });
});

describe.runIf(process.platform === "linux")("a folder in which none can be made", () => {
  it("is refused, for an instance and for a pull", async () => {
    await using sandbox = await sandboxWith({ "tree/a": "a" });
    const args = ["push", "tree", "acme/app@1"];
    const pushed = await sandbox.store([...args, "--data", "/proc/none/data"]);
    expect(pushed.exitCode).toBe(2);
    expect(pushed.stderr).toContain("no folder can be made there");
    await sandbox.ok(...args);
    const pulled = await sandbox.store(["pull", "acme/app@1", "/proc/none/out"]);
    expect(pulled.exitCode).toBe(3);
    expect(pulled.stderr).toContain("Cannot write to /proc/none");
  });
});

describe("a place without an instance", () => {
  it.each([["ls"], ["show", "acme/app"], ["log"], ["health"], ["verify", "--all"], ["sweep"]])(
    "is refused by store %s, and stays as it is",
    async (...args) => {
      await using sandbox = await Sandbox.create();
      const { exitCode, stderr } = await sandbox.store(args);
      expect(exitCode).toBe(3);
      expect(stderr).toContain("There is no instance at");
      expect(stderr).toContain("`store push`");
      expect(await readdir(sandbox.folder)).toEqual([]);
    },
  );
});
