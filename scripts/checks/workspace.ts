import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { parse } from "yaml";

import { runTool } from "./tool.ts";

type DependencyVersions = Readonly<Record<string, string>>;

/** The fields of a package.json that the checks look at. */
export interface PackageJson {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly repository?: { readonly url?: string; readonly directory?: string };
  readonly files?: readonly string[];
  readonly sideEffects?: boolean | readonly string[];
  readonly exports?: unknown;
  readonly imports?: unknown;
  readonly publishConfig?: {
    readonly access?: string;
    readonly bin?: Readonly<Record<string, string>>;
    readonly exports?: unknown;
    readonly imports?: unknown;
  };
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: DependencyVersions;
  readonly devDependencies?: DependencyVersions;
  readonly peerDependencies?: DependencyVersions;
  readonly optionalDependencies?: DependencyVersions;
}

export interface WorkspacePackage {
  /** The folder below the root, with forward slashes: `packages/identity`. */
  readonly folder: string;
  readonly json: PackageJson;
}

/** A file of the repository, its path below the root with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Workspace {
  readonly packages: readonly WorkspacePackage[];
  /** The versions of pnpm-workspace.yaml that packages share as `catalog:`. */
  readonly catalog: DependencyVersions;
  /** Every path that git tracks or would track. */
  readonly paths: readonly string[];
}

/** Whether a package goes to a package registry. */
export function isPublished(workspacePackage: WorkspacePackage): boolean {
  return workspacePackage.json.private !== true;
}

/** Reads the packages that pnpm-workspace.yaml names, and the list of the repository's files. */
export async function readWorkspace(root: string): Promise<Workspace> {
  const settings = parse(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8")) as {
    readonly packages: readonly string[];
    readonly catalog?: DependencyVersions;
  };
  const patterns = settings.packages.map((folder) => `${folder}/package.json`);
  const packages = globSync(patterns, { cwd: root })
    .map((path) => ({
      folder: dirname(path).replaceAll("\\", "/"),
      json: JSON.parse(readFileSync(join(root, path), "utf8")) as PackageJson,
    }))
    .sort((a, b) => (a.folder < b.folder ? -1 : 1));
  return { packages, catalog: settings.catalog ?? {}, paths: await listPaths(root) };
}

async function listPaths(root: string): Promise<readonly string[]> {
  const { passed, output } = await runTool(root, "git", [
    "ls-files",
    "--cached",
    "--others",
    "--exclude-standard",
    "-z",
  ]);
  if (!passed) throw new Error(`git ls-files: ${output}`);
  const deleted = await runTool(root, "git", ["ls-files", "--deleted", "-z"]);
  const gone = new Set(deleted.output.split("\0"));
  return output.split("\0").filter((path) => path !== "" && !gone.has(path));
}

/** Reads the files among `paths` that `wanted` accepts. */
export function readSources(
  root: string,
  paths: readonly string[],
  wanted: (path: string) => boolean,
): readonly SourceFile[] {
  return paths
    .filter(wanted)
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** Whether a path is a TypeScript or JavaScript source. */
export function isSource(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}
