import { existsSync } from "node:fs";
import { join } from "node:path";

import type { Check } from "./check.ts";
import { isPublished, isSource, readWorkspace } from "./workspace.ts";
import type { PackageJson, Workspace, WorkspacePackage } from "./workspace.ts";

/** Finds what a package.json lacks or says wrongly. `exists` takes a path below the root. */
export function findMetadataProblems(
  { packages, catalog }: Pick<Workspace, "packages" | "catalog">,
  exists: (path: string) => boolean,
): readonly string[] {
  const problems = packages.flatMap((one) => [
    ...(isPublished(one) ? findPublishedProblems(one, exists) : []),
    ...findVersionProblems(one, catalog),
  ]);
  return [...problems, ...findUnsharedVersions(packages)];
}

function findPublishedProblems(
  { folder, json }: WorkspacePackage,
  exists: (path: string) => boolean,
): readonly string[] {
  const base = folder.split("/").at(-1);
  const files = json.files ?? [];
  const isLibrary = folder.startsWith("packages/");
  const rules: readonly (readonly [boolean, string])[] = [
    [json.name === `@store/${base}`, `name is ${json.name}, not @store/${base}`],
    [Boolean(json.description), "description is missing"],
    [json.license === "Apache-2.0", "license is not Apache-2.0"],
    [json.type === "module", "type is not module"],
    [json.repository?.directory === folder, `repository.directory is not ${folder}`],
    [Boolean(json.repository?.url), "repository.url is missing"],
    [json.engines?.node === ">=24", "engines.node is not >=24"],
    [json.publishConfig?.access === "public", "publishConfig.access is not public"],
    [!isLibrary || json.sideEffects === false, "sideEffects is not false"],
    [!isLibrary || json.exports !== undefined, "exports is missing"],
    ...["dist", "!dist/.tsbuildinfo", "LICENSE", "README.md"].map(
      (file) => [files.includes(file), `files does not list ${file}`] as const,
    ),
    ...["LICENSE", "README.md"].map(
      (file) => [exists(`${folder}/${file}`), `there is no ${file}`] as const,
    ),
  ];
  const where = `${folder}/package.json`;
  return [
    ...rules.filter(([holds]) => !holds).map(([, problem]) => `${where}: ${problem}`),
    ...findTargetProblems(folder, json, "exports", exists),
    ...findTargetProblems(folder, json, "imports", exists),
  ];
}

/**
 * In the workspace `exports` and `imports` point at sources; `publishConfig` replaces them by the
 * same entries pointing at what the build makes of those sources.
 */
function findTargetProblems(
  folder: string,
  json: PackageJson,
  field: "exports" | "imports",
  exists: (path: string) => boolean,
): readonly string[] {
  if (json[field] === undefined) return [];
  const where = `${folder}/package.json: ${field}`;
  const inWorkspace = targetsOf(json[field]);
  const published = targetsOf(json.publishConfig?.[field]);
  const problems: string[] = [];

  for (const [entry, targets] of inWorkspace) {
    for (const target of targets) {
      if (target.startsWith("./src/") && target.endsWith(".ts")) {
        const built = target.replace("./src/", "./dist/").replace(/\.ts$/, ".js");
        const found = published.get(entry)?.includes(built) === true;
        if (!found) problems.push(`${where}["${entry}"]: publishConfig does not name ${built}`);
      } else if (isSource(target)) {
        problems.push(`${where}["${entry}"] points at ${target}, not at src/*.ts`);
      }
      if (!exists(join(folder, target))) {
        problems.push(`${where}["${entry}"] points at ${target}, which does not exist`);
      }
    }
  }
  for (const entry of published.keys()) {
    if (!inWorkspace.has(entry)) problems.push(`${where}["${entry}"] is only in publishConfig`);
  }
  return problems;
}

/** The files that each entry of `exports` or `imports` names, whatever the conditions. */
function targetsOf(field: unknown): ReadonlyMap<string, readonly string[]> {
  if (typeof field === "string") return new Map([[".", [field]]]);
  if (typeof field !== "object" || field === null) return new Map();
  return new Map(Object.entries(field).map(([entry, target]) => [entry, leavesOf(target)]));
}

function leavesOf(target: unknown): readonly string[] {
  if (typeof target === "string") return [target];
  if (typeof target !== "object" || target === null) return [];
  return Object.values(target).flatMap(leavesOf);
}

function findVersionProblems(
  { folder, json }: WorkspacePackage,
  catalog: Readonly<Record<string, string>>,
): readonly string[] {
  return allDependencies(json).flatMap(([name, version]) => {
    const where = `${folder}/package.json: ${name}`;
    if (name.startsWith("@store/")) {
      return version === "workspace:*" ? [] : [`${where} is ${version}, not workspace:*`];
    }
    if (version === "catalog:") {
      return name in catalog ? [] : [`${where} is not in the catalog of pnpm-workspace.yaml`];
    }
    if (name in catalog) return [`${where} is ${version}, not catalog:`];
    const exact = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version);
    return exact ? [] : [`${where} is ${version}, not one exact version`];
  });
}

/** A version that two packages need is written once, in the catalog. */
function findUnsharedVersions(packages: readonly WorkspacePackage[]): readonly string[] {
  const users = new Map<string, string[]>();
  for (const { folder, json } of packages) {
    for (const [name, version] of allDependencies(json)) {
      if (/^\d/.test(version)) users.set(name, [...(users.get(name) ?? []), folder]);
    }
  }
  return [...users]
    .filter(([, folders]) => new Set(folders).size > 1)
    .map(
      ([name, folders]) => `${name}: ${folders.join(", ")} each name a version; use the catalog`,
    );
}

function allDependencies(json: PackageJson): readonly (readonly [string, string])[] {
  return Object.entries({
    ...json.devDependencies,
    ...json.optionalDependencies,
    ...json.peerDependencies,
    ...json.dependencies,
  });
}

/** What a package.json must say before its package is published. */
export const packageMetadata: Check = {
  name: "package metadata",
  async run(root) {
    return findMetadataProblems(await readWorkspace(root), (path) => existsSync(join(root, path)));
  },
};
