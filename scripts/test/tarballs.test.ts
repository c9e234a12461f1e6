import { rmSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { importPackedPackages } from "../checks/packed-imports.ts";
import { findTarballProblems, findUnwantedFiles } from "../checks/tarballs.ts";
import type { PackedPackage } from "../checks/tarballs.ts";
import { runTool } from "../checks/tool.ts";
import { folderWith, packageAt, repositoryRoot } from "./fixture.ts";

const good = {
  LICENSE: "Apache-2.0\n",
  "README.md": "# identity\n",
  "dist/index.js": "export const a = 1;\n",
  "dist/index.d.ts": "export declare const a: number;\n",
};

/** Packs files as the package @store/identity, as it would be published. */
async function pack(files: Readonly<Record<string, string>>): Promise<PackedPackage> {
  const workspacePackage = packageAt("packages/identity");
  const { publishConfig, ...json } = workspacePackage.json;
  const published = JSON.stringify({ ...json, exports: publishConfig?.exports });
  const root = folderWith(files);
  rmSync(join(root, "node_modules"));
  const folder = folderWith({});
  const tarball = join(folder, "packed.tgz");
  const source = folderWith({ "package/package.json": published, ...below("package", files) });
  const { passed, output } = await runTool(source, "tar", ["-czf", tarball, "package"]);
  if (!passed) throw new Error(output);
  return { workspacePackage, tarball };
}

function below(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]),
  );
}

test("a tarball with everything in place has no problem", async () => {
  const packed = await pack(good);
  expect(await findTarballProblems(packed)).toEqual([]);
  expect(await importPackedPackages(repositoryRoot, [packed], folderWith({}))).toEqual([]);
});

test("an entry whose file was not packed is found by publint and by importing it", async () => {
  const { "dist/index.js": _, ...files } = good;
  const packed = await pack({ ...files, "dist/other.js": "" });
  expect((await findTarballProblems(packed)).join("\n")).toContain("publint");
  expect(await importPackedPackages(repositoryRoot, [packed], folderWith({}))).toEqual([
    expect.stringContaining('import "@store/identity" from its tarball'),
  ]);
});

test("types that do not resolve are found by Are the Types Wrong?", async () => {
  const types = 'export * from "./absent.js";\nexport { b } from "./gone";\n';
  const packed = await pack({ ...good, "dist/index.d.ts": types });
  expect((await findTarballProblems(packed)).join("\n")).toContain("attw");
});

test("a command that does not start from its tarball is named", async () => {
  const { workspacePackage, tarball } = await pack({
    ...good,
    "dist/works.js": "",
    "dist/breaks.js": 'import "./absent.js";\n',
  });
  const bin = { works: "./dist/works.js", breaks: "./dist/breaks.js" };
  const json = { ...workspacePackage.json, publishConfig: { bin } };
  const packed = { workspacePackage: { ...workspacePackage, json }, tarball };
  expect(await importPackedPackages(repositoryRoot, [packed], folderWith({}))).toEqual([
    expect.stringContaining("breaks --version from the tarball of @store/identity"),
  ]);
});

test("a tarball holds nothing of the workshop and lacks nothing that users need", () => {
  expect(findUnwantedFiles(["package.json", "dist/.tsbuildinfo", "test/a.test.ts"])).toEqual([
    "the tarball holds dist/.tsbuildinfo",
    "the tarball holds test/a.test.ts",
    "the tarball lacks README.md",
    "the tarball lacks LICENSE",
    "the tarball holds no built code",
  ]);
});
