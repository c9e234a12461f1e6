/** The packages as a user gets them: built, packed, and installed by npm. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

const workspace = join(import.meta.dirname, "../../..");
/** Building and installing from nothing takes seconds; a registry that does not answer, for ever. */
const commandTimeoutMs = 300_000;

/** The tarballs of packages, by package name. */
export type Tarballs = ReadonlyMap<string, string>;

/** Builds the workspace and packs every package that is published into `folder`. */
export async function packWorkspace(folder: string): Promise<Tarballs> {
  await mkdir(folder, { recursive: true });
  await pnpm(["run", "build"]);
  const published = await publishedPackages();
  const filters = published.flatMap((name) => ["--filter", name]);
  await pnpm(["--recursive", ...filters, "pack", "--pack-destination", folder]);
  const files = new Set(await readdir(folder));
  return new Map(
    published.map((name) => {
      // `@store/registry` becomes `store-registry-0.1.0.tgz`.
      const prefix = `${name.replace("@", "").replace("/", "-")}-`;
      const file = [...files].find(
        (one) => /^\d/u.test(one.slice(prefix.length)) && one.startsWith(prefix),
      );
      if (file === undefined) throw new Error(`${name} was not packed into ${folder}`);
      return [name, join(folder, file)];
    }),
  );
}

/**
 * Installs a project that stands in `folder` with npm, our packages from their tarballs, those
 * that they depend on included, and everything else from wherever npm gets packages.
 */
export async function installPacked(folder: string, tarballs: Tarballs): Promise<void> {
  const path = join(folder, "package.json");
  const project = JSON.parse(await readFile(path, "utf8")) as {
    dependencies: Record<string, string>;
  };
  const files = Object.fromEntries([...tarballs].map(([name, file]) => [name, `file:${file}`]));
  const direct = Object.keys(project.dependencies).map((name) => [
    name,
    files[name] ?? project.dependencies[name],
  ]);
  const dependencies: unknown = Object.fromEntries(direct);
  await writeFile(path, JSON.stringify({ ...project, dependencies, overrides: files }, null, 2));
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", "--omit=dev", ...quiet], folder);
}

async function publishedPackages(): Promise<string[]> {
  const names: string[] = [];
  for (const parent of ["packages", "apps"]) {
    for (const folder of await readdir(join(workspace, parent))) {
      const path = join(workspace, parent, folder, "package.json");
      const text = await readFile(path, "utf8").catch(() => undefined);
      if (text === undefined) continue;
      const { name, private: hidden } = JSON.parse(text) as { name: string; private?: boolean };
      if (hidden !== true) names.push(name);
    }
  }
  return names.toSorted();
}

/** The workspace's pnpm, whether it is on the path or not. */
async function pnpm(args: readonly string[]): Promise<void> {
  const { packageManager } = JSON.parse(
    await readFile(join(workspace, "package.json"), "utf8"),
  ) as { packageManager: string };
  await run("npx", ["--yes", packageManager, ...args], workspace);
}

/** Runs a command with this Node.js first on its path; throws what it said where it fails. */
async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: "1" };
  const options = { cwd, env, timeout: commandTimeoutMs, maxBuffer: 64 * 1024 * 1024 };
  try {
    await promisify(execFile)(command, [...args], options);
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
