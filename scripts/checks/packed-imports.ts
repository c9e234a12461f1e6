import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { PackedPackage } from "./tarballs.ts";
import { runTool } from "./tool.ts";

/**
 * Lays the tarballs out as an installation would, below `folder`, imports every entry of each in a
 * Node of its own and asks every command for its version. Dependencies from outside are borrowed
 * from the workspace, so that nothing is fetched. A file that the tarball lacks, or an export that
 * points nowhere, fails here.
 */
export async function importPackedPackages(
  root: string,
  packed: readonly PackedPackage[],
  folder: string,
): Promise<readonly string[]> {
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true }));
  for (const one of packed) await install(root, project, one);
  const results = packed.flatMap((one) => [importEntries(project, one), runCommands(project, one)]);
  return (await Promise.all(results)).flat();
}

async function install(
  root: string,
  project: string,
  { workspacePackage, tarball }: PackedPackage,
): Promise<void> {
  const { folder, json } = workspacePackage;
  const target = join(project, "node_modules", json.name);
  mkdirSync(target, { recursive: true });
  const args = ["-xzf", tarball, "--strip-components=1", "-C", target];
  const { passed, output } = await runTool(project, "tar", args);
  if (!passed) throw new Error(`tar: ${output}`);

  const outside = Object.keys({ ...json.dependencies, ...json.optionalDependencies });
  for (const name of outside.filter((one) => !one.startsWith("@store/"))) {
    const source = join(root, folder, "node_modules", name);
    // An optional dependency need not be there.
    if (!existsSync(source)) continue;
    const link = join(target, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(source), link, "dir");
  }
}

async function importEntries(
  project: string,
  { workspacePackage }: PackedPackage,
): Promise<readonly string[]> {
  const { name, exports } = workspacePackage.json;
  const entries = typeof exports === "object" && exports !== null ? Object.keys(exports) : [];
  const specifiers = entries
    .filter((entry) => !entry.includes("*") && !entry.endsWith(".json"))
    .map((entry) => name + entry.slice(1));
  const problems: string[] = [];
  for (const specifier of specifiers) {
    const code = `await import(${JSON.stringify(specifier)})`;
    const { passed, output } = await runTool(project, "node", ["--eval", code]);
    if (!passed) problems.push(`import "${specifier}" from its tarball: ${output}`);
  }
  return problems;
}

async function runCommands(
  project: string,
  { workspacePackage }: PackedPackage,
): Promise<readonly string[]> {
  const { name, publishConfig } = workspacePackage.json;
  const problems: string[] = [];
  for (const [command, file] of Object.entries(publishConfig?.bin ?? {})) {
    const path = join("node_modules", name, file);
    const { passed, output } = await runTool(project, "node", [path, "--version"]);
    if (!passed) problems.push(`${command} --version from the tarball of ${name}: ${output}`);
  }
  return problems;
}
