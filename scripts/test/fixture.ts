import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { onTestFinished } from "vitest";

import { runTool } from "../checks/tool.ts";
import type { PackageJson, WorkspacePackage } from "../checks/workspace.ts";

/** The repository's own root. */
export const repositoryRoot = resolve(import.meta.dirname, "../..");

/** Writes files into a new folder that has the workspace's tools; it goes when the test ends. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "store-check-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  symlinkSync(join(repositoryRoot, "node_modules"), join(root, "node_modules"), "dir");
  writeFiles(root, files);
  return root;
}

export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Makes the folder a repository with one commit of all its files. */
export async function commitAll(root: string): Promise<void> {
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "--all"],
    [...identity, "commit", "--quiet", "--message", "All"],
  ]) {
    const { passed, output } = await runTool(root, "git", args);
    if (!passed) throw new Error(output);
  }
}

/** A package.json with nothing wrong, but for what `changes` says. */
export function packageAt(folder: string, changes: Partial<PackageJson> = {}): WorkspacePackage {
  const json: PackageJson = {
    name: `@store/${folder.split("/").at(-1)}`,
    version: "0.0.0",
    description: "What it is",
    license: "Apache-2.0",
    type: "module",
    repository: { url: "git+https://example.com/store.git", directory: folder },
    files: ["dist", "!dist/.tsbuildinfo", "src", "LICENSE", "README.md"],
    sideEffects: false,
    exports: { ".": "./src/index.ts", "./package.json": "./package.json" },
    publishConfig: {
      access: "public",
      exports: {
        ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
        "./package.json": "./package.json",
      },
    },
    engines: { node: ">=24" },
    ...changes,
  };
  return { folder, json };
}
