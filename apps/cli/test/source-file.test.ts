import { appendFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { readSourceFile, type SourceFile } from "../src/lib/source-file.ts";
import { walkTree } from "../src/lib/tree.ts";
import { Sandbox } from "./store.ts";

const megabyte = 1024 * 1024;
const options = { follow: false, signal: new AbortController().signal };

/** A file of two and a half chunks, as a walk finds it. */
async function findFile(sandbox: Sandbox): Promise<SourceFile> {
  await sandbox.write({ file: Buffer.alloc(2.5 * megabyte, 1) });
  // File systems tell times apart by milliseconds only; what changes now must change later.
  await utimes(sandbox.path("file"), 1, 1);
  const tree = { isExcluded: () => false, follow: false };
  const [file] = await Array.fromAsync(walkTree(sandbox.path("file"), "file", tree));
  if (file === undefined) throw new Error("There is no file.");
  return file;
}

/** Reads to the end; calls back after the first chunk. */
async function readWhile(file: SourceFile, change: () => Promise<void>): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of readSourceFile(file, options)) {
    if (sizeBytes === 0) await change();
    sizeBytes += chunk.byteLength;
  }
  return sizeBytes;
}

describe("a file that is pushed", () => {
  it("is read whole", async () => {
    await using sandbox = await Sandbox.create();
    const file = await findFile(sandbox);
    expect(await readWhile(file, async () => {})).toBe(2.5 * megabyte);
  });

  it.each([
    { what: "grows", change: (path: string) => appendFile(path, "more") },
    { what: "shrinks", change: (path: string) => writeFile(path, "less") },
    {
      what: "is rewritten with the same size",
      change: (path: string) => writeFile(path, Buffer.alloc(2.5 * megabyte, 2)),
    },
  ])("is refused where it $what while it is read", async ({ change }) => {
    await using sandbox = await Sandbox.create();
    const file = await findFile(sandbox);
    await expect(readWhile(file, () => change(file.source))).rejects.toMatchObject({
      code: "source_changed",
    });
  });

  it.each([
    {
      what: "another file",
      exchange: async (path: string) => {
        await writeFile(`${path}.new`, Buffer.alloc(2.5 * megabyte, 1));
        await rename(`${path}.new`, path);
      },
    },
    {
      what: "a symbolic link",
      exchange: async (path: string) => {
        await rename(path, `${path}.old`);
        await symlink(`${path}.old`, path);
      },
    },
    { what: "nothing", exchange: (path: string) => rm(path) },
  ])("is refused where it was exchanged for $what", async ({ exchange }) => {
    await using sandbox = await Sandbox.create();
    const file = await findFile(sandbox);
    await exchange(file.source);
    await expect(readWhile(file, async () => {})).rejects.toMatchObject({ code: "source_changed" });
  });

  it("is read no further once it is given up", async () => {
    await using sandbox = await Sandbox.create();
    const file = await findFile(sandbox);
    const signal = AbortSignal.abort(new Error("given up"));
    const reading = Array.fromAsync(readSourceFile(file, { follow: false, signal }));
    await expect(reading).rejects.toThrow("given up");
  });
});
