import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { account, rounds } from "@store/testing/prove";
import { describe, expect, it } from "vitest";

import { Executable, Sandbox, source } from "./store.ts";
import { copyDependencies, describeTree } from "./trees.ts";

interface Pushed {
  package: { reference: string; manifest_digest: string; file_count: number; size: number };
  tags: string[];
  new_object_count: number;
  new_size: number;
}

const tree = {
  "tree/README.md": "# Read me\n",
  "tree/bin/run": new Executable("#!/bin/sh\nexit 0\n"),
  "tree/empty": "",
  "tree/.hidden/file": "seen\n",
  "tree/déjà/vu ☃.txt": "twice\n",
  "tree/copy/of/déjà.txt": "twice\n",
  [`tree/${"deep/".repeat(60)}end`]: "deep\n",
  "tree/large.bin": Buffer.alloc(3_000_001, "store"),
};

describe("a folder", () => {
  it("comes back as it was pushed, with names, contents and executable bits", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write(tree);
    const pushed = await sandbox.json<Pushed>("push", "tree", "acme/app@1.0.0", "--tag", "stable");
    expect(pushed.package.file_count).toBe(Object.keys(tree).length);
    // Two files have the same content, and so one object.
    expect(pushed.new_object_count).toBe(Object.keys(tree).length - 1);
    expect(pushed.tags).toEqual(["stable"]);

    await sandbox.ok("pull", "acme/app:stable", "out");
    const source = await describeTree(sandbox.path("tree"));
    expect(await describeTree(sandbox.path("out"))).toEqual(source);
    expect((await sandbox.ok("verify", "acme/app@1.0.0")).stdout).toContain("all whole");

    const digest = pushed.package.manifest_digest;
    await sandbox.ok("pull", `acme/app@${digest}`);
    expect(await describeTree(sandbox.path("app-1.0.0"))).toEqual(source);
    // Nothing of the way there is left.
    expect(new Set(await readdir(sandbox.folder))).toEqual(
      new Set(["app-1.0.0", "data", "out", "tree"]),
    );
  });

  it("that was pushed before adds no object", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write(tree);
    const first = await sandbox.json<Pushed>("push", "tree", "acme/app@1.0.0");
    const second = await sandbox.json<Pushed>("push", "tree", "acme/app@1.0.1");
    expect(first.new_size).toBeGreaterThan(3_000_000);
    expect(second).toMatchObject({ new_object_count: 0, new_size: 0 });
  });
});

describe("what is pushed", () => {
  it("keeps its own name where it is a file, and below that where it is one of several", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "a/one.txt": "1", "a/b/two.txt": "2", "three.txt": "3" });
    await sandbox.ok("push", "a/one.txt", "acme/file@1");
    await sandbox.ok("push", "a", "three.txt", "./a/b/", "acme/several@1");
    await sandbox.ok("pull", "acme/file@1", "file");
    await sandbox.ok("pull", "acme/several@1", "several");
    expect(await describeTree(sandbox.path("file"))).toHaveLength(1);
    expect(await readFile(sandbox.path("file/one.txt"), "utf8")).toBe("1");
    const paths = (await describeTree(sandbox.path("several"))).map((line) => line.split(" ")[0]);
    expect(paths).toEqual(["a/b/two.txt", "a/one.txt", "b/two.txt", "three.txt"]);
  });

  it("may come from stdin, and goes to stdout, byte for byte", async () => {
    await using sandbox = await Sandbox.create();
    const bytes = Buffer.from(Uint8Array.from({ length: 2_500_000 }, (_, index) => index % 251));
    const args = ["push", "-", "acme/raw@1.0.0", "--path", "dir/raw.bin"];
    expect((await sandbox.store(args, { stdin: bytes })).exitCode).toBe(0);
    const { bytes: read } = await sandbox.ok("cat", "acme/raw", "dir/raw.bin");
    expect(read.equals(bytes)).toBe(true);
    const json = await sandbox.json<{ content_base64: string; size: number }>(
      "cat",
      "acme/raw",
      "dir/raw.bin",
    );
    expect(json.size).toBe(bytes.byteLength);
    expect(Buffer.from(json.content_base64, "base64").equals(bytes)).toBe(true);
  });

  it("may be read as far as somebody likes", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ large: Buffer.alloc(20_000_000) });
    await sandbox.ok("push", "large", "acme/app@1");
    const cat = spawn(process.execPath, [source, "cat", "acme/app@1", "large"], {
      cwd: sandbox.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(cat, "exit");
    await once(cat.stdout, "data");
    cat.stdout.destroy();
    expect(await exited).toEqual([0, null]);
  });

  it("may have a variant for each platform", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "amd/app": "amd", "arm/app": "arm" });
    await sandbox.ok("push", "amd", "acme/app@1.0.0/linux-amd64");
    await sandbox.ok("push", "arm", "acme/app@1.0.0/linux-arm64");
    expect((await sandbox.ok("cat", "acme/app@1.0.0/linux-arm64", "app")).stdout).toBe("arm");
    const ambiguous = await sandbox.store(["cat", "acme/app@1.0.0", "app"]);
    expect(ambiguous.exitCode).toBe(4);
    expect(ambiguous.stderr).toContain("linux-amd64");
    await sandbox.ok("pull", "acme/app@1.0.0/linux-amd64");
    expect(await readFile(sandbox.path("app-1.0.0-linux-amd64/app"), "utf8")).toBe("amd");
  });

  it("leaves out what is excluded", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({
      "t/keep.txt": "",
      "t/a.log": "",
      "t/sub/b.log": "",
      "t/node_modules/x/index.js": "",
      "t/sub/node_modules/y/index.js": "",
      "t/build/cache/z": "",
      "t/sub/build/cache/kept": "",
      "t/.git/config": "",
    });
    const exclude = ["*.log", "node_modules/", "/build/cache", ".g*"];
    const flags = exclude.flatMap((glob) => ["--exclude", glob]);
    await sandbox.ok("push", "t", "acme/app@1", ...flags);
    await sandbox.ok("pull", "acme/app@1", "out");
    const paths = (await describeTree(sandbox.path("out"))).map((line) => line.split(" ")[0]);
    expect(paths).toEqual(["keep.txt", "sub/build/cache/kept"]);
  });
});

describe("the project's own dependencies", () => {
  it("come back identical, and one flipped byte in an object is found and named", async () => {
    await using sandbox = await Sandbox.create();
    const files = await copyDependencies(sandbox.path("tree"), rounds(12_000));
    expect(files).toBeGreaterThan(rounds(10_000));
    const pushed = await sandbox.json<Pushed>("push", "tree", "acme/deps@1.0.0");
    expect(pushed.package.file_count).toBe(files);
    await sandbox.ok("pull", "acme/deps@1.0.0", "out");
    const source = await describeTree(sandbox.path("tree"));
    expect(await describeTree(sandbox.path("out"))).toEqual(source);
    expect((await sandbox.ok("verify", "--all")).stdout).toContain("all whole");

    const damaged = await flipByte(sandbox);
    const verified = await sandbox.store(["verify", "acme/deps@1.0.0"]);
    expect(verified.exitCode).toBe(6);
    expect(verified.stdout).toContain(`object_corrupt`);
    expect(verified.stdout).toContain(`acme/deps@1.0.0  ${damaged.path}  ${damaged.address}`);
    expect((await sandbox.store(["verify", "--all"])).exitCode).toBe(6);

    // And it never gets out: neither to a folder nor whole to stdout.
    const pulled = await sandbox.store(["pull", "acme/deps@1.0.0", "again"]);
    expect(pulled.exitCode).toBe(6);
    expect(pulled.stderr).toContain(damaged.address);
    await expect(stat(sandbox.path("again"))).rejects.toThrow("ENOENT");
    expect((await sandbox.store(["cat", "acme/deps@1.0.0", damaged.path])).exitCode).toBe(6);
    account("Round trip of node_modules", { files, sizeBytes: pushed.package.size });
  });
});

/** Flips a bit in the middle of the object of some file, and says which file. */
async function flipByte(sandbox: Sandbox): Promise<{ path: string; address: string }> {
  const { files } = await sandbox.json<{
    files: { path: string; size: number; content_address: string }[];
  }>("show", "acme/deps@1.0.0", "--files");
  const file = files.find(({ size }) => size > 100);
  if (file === undefined) throw new Error("There is no file to damage.");
  const hex = file.content_address.slice("blake3:".length);
  const place = join("data/objects/blake3", hex.slice(0, 2), hex.slice(2, 4), hex);
  const bytes = await readFile(sandbox.path(place));
  const middle = Math.floor(bytes.byteLength / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(sandbox.path(place), bytes);
  // Other files of the same content have the same object; the first by path is named.
  const same = files.filter(({ content_address }) => content_address === file.content_address);
  return { path: same[0]?.path ?? "", address: file.content_address };
}
