import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Check } from "./check.ts";
import { importPackedPackages } from "./packed-imports.ts";
import { runTool } from "./tool.ts";
import { isPublished, readWorkspace } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

/** A package as it would be published. */
export interface PackedPackage {
  readonly workspacePackage: WorkspacePackage;
  /** The absolute path of its .tgz. */
  readonly tarball: string;
}

/** Packs a package into a new folder below `destination`; throws what the packer said. */
async function packPackage(
  root: string,
  workspacePackage: WorkspacePackage,
  destination: string,
): Promise<PackedPackage> {
  const folder = mkdtempSync(join(destination, "pack-"));
  const args = ["pack", "--pack-destination", folder];
  const { passed, output } = await runTool(join(root, workspacePackage.folder), "pnpm", args);
  const [name] = await readdir(folder);
  if (!passed || name === undefined) {
    throw new Error(`${workspacePackage.folder}: pnpm pack: ${output}`);
  }
  return { workspacePackage, tarball: join(folder, name) };
}

/** Finds what publint and Are the Types Wrong? say about a tarball, and files it should not hold. */
export async function findTarballProblems(packed: PackedPackage): Promise<readonly string[]> {
  const { workspacePackage, tarball } = packed;
  const { folder, json } = workspacePackage;
  const results = [
    findUnwantedFiles(await listFiles(tarball)),
    await outputOf("publint", ["run", tarball, "--strict"]),
  ];
  // A package with commands only has no types to be wrong about.
  if (json.exports !== undefined) {
    const options = ["--profile", "esm-only", "--format", "ascii", "--no-emoji"];
    results.push(
      await outputOf("attw", [tarball, ...options, "--exclude-entrypoints", "./package.json"]),
    );
  }
  return results.flat().map((problem) => `${folder}: ${problem}`);
}

async function outputOf(command: string, args: readonly string[]): Promise<readonly string[]> {
  const { passed, output } = await runTool(tmpdir(), command, args);
  return passed ? [] : [`${command}: ${output}`];
}

async function listFiles(tarball: string): Promise<readonly string[]> {
  const { passed, output } = await runTool(tmpdir(), "tar", ["-tzf", tarball]);
  if (!passed) throw new Error(`tar -tzf ${tarball}: ${output}`);
  return output.split("\n").map((path) => path.replace(/^package\//, ""));
}

/** A tarball holds what its users need and says whose it is; nothing of the workshop. */
export function findUnwantedFiles(files: readonly string[]): readonly string[] {
  const unwanted = files
    .filter((path) => /(?:^|\/)(?:test|node_modules)\/|\.tsbuildinfo$|\.test\.|^\.env/.test(path))
    .map((path) => `the tarball holds ${path}`);
  const missing = ["package.json", "README.md", "LICENSE"]
    .filter((path) => !files.includes(path))
    .map((path) => `the tarball lacks ${path}`);
  const hasCode = files.some((path) => path.startsWith("dist/") && path.endsWith(".js"));
  return [...unwanted, ...missing, ...(hasCode ? [] : ["the tarball holds no built code"])];
}

/** What would be published, built, packed, linted and imported by a plain Node project. */
export const tarballs: Check = {
  name: "tarballs",
  async run(root) {
    const build = await runTool(root, "turbo", ["run", "build", "--output-logs=errors-only"]);
    if (!build.passed) return [build.output];
    const destination = mkdtempSync(join(tmpdir(), "store-tarballs-"));
    try {
      const { packages } = await readWorkspace(root);
      const published = packages.filter(isPublished);
      const packed = await Promise.all(published.map((one) => packPackage(root, one, destination)));
      const found = await Promise.all(packed.map(findTarballProblems));
      return [...found.flat(), ...(await importPackedPackages(root, packed, destination))];
    } finally {
      rmSync(destination, { recursive: true });
    }
  },
};
