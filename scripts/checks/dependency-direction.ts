import { posix } from "node:path";

import { parseSync } from "oxc-parser";

import type { Check } from "./check.ts";
import { isSource, readSources, readWorkspace } from "./workspace.ts";
import type { PackageJson, SourceFile, WorkspacePackage } from "./workspace.ts";

/**
 * Which packages a package may build on: the arrows of docs/ARCHITECTURE.md. A new package gets a
 * line here before its first import.
 */
const arrows: Readonly<Record<string, readonly string[]>> = {
  "@store/identity": [],
  "@store/manifest": ["@store/identity"],
  "@store/database": ["@store/identity"],
  "@store/events": ["@store/identity", "@store/manifest", "@store/database"],
  "@store/storage": ["@store/identity"],
  "@store/storage-local": ["@store/identity", "@store/storage"],
  "@store/storage-s3": ["@store/identity", "@store/storage"],
  "@store/registry": [
    "@store/identity",
    "@store/manifest",
    "@store/database",
    "@store/events",
    "@store/storage",
  ],
  "@store/access": [
    "@store/identity",
    "@store/manifest",
    "@store/database",
    "@store/events",
    "@store/storage",
    "@store/registry",
  ],
  "@store/api": ["@store/identity", "@store/manifest"],
  "@store/client": ["@store/identity", "@store/manifest", "@store/api"],
  "@store/archive": ["@store/identity"],
};

/** Libraries of HTTP servers and command lines, by name or scope. */
const appLibraries =
  /^(?:hono|@hono\/.+|express|fastify|koa|@oclif\/.+|commander|yargs|cac|citty|clipanion)$/;

/** Finds what breaks the dependency rules, in package.json files and in imports. */
export function findDirectionProblems(
  packages: readonly WorkspacePackage[],
  sources: readonly SourceFile[],
): readonly string[] {
  const byName = new Map(packages.map((one) => [one.json.name, one]));
  return [
    ...packages.flatMap((one) => findDeclaredProblems(one, byName)),
    ...findCircles(packages),
    ...sources.flatMap((source) => findImportProblems(source, packages, byName)),
  ];
}

function findDeclaredProblems(
  { folder, json }: WorkspacePackage,
  byName: ReadonlyMap<string, WorkspacePackage>,
): readonly string[] {
  if (!folder.startsWith("packages/")) return [];
  const where = `${folder}/package.json`;
  const problems = Object.keys({ ...runtimeDependencies(json), ...json.devDependencies })
    .filter((name) => appLibraries.test(name))
    .map((name) => `${where}: ${name} is an HTTP or command-line library; it belongs in apps/`);
  if (json.private === true) return problems;

  const allowed = arrows[json.name];
  if (allowed === undefined) {
    return [...problems, `${where}: ${json.name} has no line in scripts/checks (arrows)`];
  }
  for (const name of Object.keys(runtimeDependencies(json))) {
    if (byName.has(name) && !allowed.includes(name)) problems.push(refusal(where, json.name, name));
  }
  return problems;
}

function findImportProblems(
  source: SourceFile,
  packages: readonly WorkspacePackage[],
  byName: ReadonlyMap<string, WorkspacePackage>,
): readonly string[] {
  const owner = ownerOf(source.path, packages);
  const shipped = owner !== undefined && source.path.startsWith(`${owner.folder}/src/`);
  const library = shipped && owner.folder.startsWith("packages/") && owner.json.private !== true;
  const problems: string[] = [];

  for (const specifier of importsOf(source)) {
    if (specifier.startsWith(".")) {
      const target = posix.join(posix.dirname(source.path), specifier);
      if (ownerOf(target, packages) !== owner) {
        problems.push(`${source.path}: imports ${specifier} of another package by its path`);
      }
    } else if (library) {
      const name = packageNameOf(specifier);
      if (appLibraries.test(name)) {
        problems.push(`${source.path}: ${name} belongs in apps/, not in a library`);
      } else if (byName.has(name) && name !== owner.json.name) {
        const allowed = arrows[owner.json.name]?.includes(name) === true;
        if (!allowed) problems.push(refusal(source.path, owner.json.name, name));
      }
    }
  }
  if (shipped && source.path.startsWith(`${owner.folder}/src/lib/`)) {
    problems.push(...findBarrel(source));
  }
  return problems;
}

/** `src/index.ts` is the only list of exports; below it, imports name the file that they need. */
function findBarrel(source: SourceFile): readonly string[] {
  const isIndex = posix.basename(source.path).startsWith("index.");
  const { staticExports } = parse(source).module;
  const passesAllOn = staticExports.some((statement) =>
    statement.entries.some((entry) => entry.importName.kind === "AllButDefault"),
  );
  return isIndex || passesAllOn
    ? [`${source.path}: a barrel inside src/lib; import the file that holds the code`]
    : [];
}

function findCircles(packages: readonly WorkspacePackage[]): readonly string[] {
  const next = new Map(
    packages.map(({ json }) => {
      const names = Object.keys({ ...runtimeDependencies(json), ...json.devDependencies });
      return [json.name, names.filter((name) => packages.some((one) => one.json.name === name))];
    }),
  );
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name];
      problems.push(`package.json files depend on each other: ${circle.join(" → ")}`);
    } else if (!done.has(name)) {
      for (const dependency of next.get(name) ?? []) visit(dependency, [...path, name]);
      done.add(name);
    }
  };
  for (const name of next.keys()) visit(name, []);
  return problems;
}

function refusal(where: string, from: string, to: string): string {
  return to.startsWith("@store/storage-")
    ? `${where}: only the apps name a backend; ${from} takes a StorageBackend instead of ${to}`
    : `${where}: ${from} may not depend on ${to}; the arrows point the other way`;
}

function runtimeDependencies(json: PackageJson): Readonly<Record<string, string>> {
  return { ...json.dependencies, ...json.peerDependencies, ...json.optionalDependencies };
}

function ownerOf(
  path: string,
  packages: readonly WorkspacePackage[],
): WorkspacePackage | undefined {
  return packages.find(({ folder }) => path.startsWith(`${folder}/`));
}

function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function parse(source: SourceFile): ReturnType<typeof parseSync> {
  return parseSync(source.path, source.text);
}

/** Every specifier that a file imports or re-exports, types and literal dynamic imports too. */
function importsOf(source: SourceFile): readonly string[] {
  const { staticImports, staticExports, dynamicImports } = parse(source).module;
  const specifiers = [
    ...staticImports.map((statement) => statement.moduleRequest.value),
    ...staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
    ...dynamicImports.flatMap(({ moduleRequest }) => {
      const text = source.text.slice(moduleRequest.start, moduleRequest.end);
      return /^(["'])(.*)\1$/.exec(text)?.[2] ?? [];
    }),
  ];
  return [...new Set(specifiers)];
}

/** The arrows between packages, held in package.json files and in imports. */
export const dependencyDirection: Check = {
  name: "dependency direction",
  async run(root) {
    const { packages, paths } = await readWorkspace(root);
    return findDirectionProblems(packages, readSources(root, paths, isSource));
  },
};
