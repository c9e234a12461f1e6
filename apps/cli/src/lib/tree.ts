import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";

import { assertFilePath, StoreError } from "@store/identity";

import type { SourceFile } from "./source-file.ts";
import { systemCode, systemError } from "./system-error.ts";

export interface TreeOptions {
  /** Whether a path of the package is left out, with all below it. */
  readonly isExcluded: (path: string) => boolean;
  /** Takes what symbolic links point at instead of refusing them. */
  readonly follow: boolean;
  /** A folder that is left out wherever it is met: the instance that is pushed to. */
  readonly instance?: FolderIdentity | undefined;
}

/** What tells a folder from all others, whatever path leads to it. */
export type FolderIdentity = string & { readonly brand: "FolderIdentity" };

/** The identity of a folder that exists. */
export async function folderIdentity(folder: string): Promise<FolderIdentity> {
  try {
    return identityOf(await stat(folder, { bigint: true }));
  } catch (error) {
    throw systemError(error, "look at", folder);
  }
}

function identityOf({ dev, ino }: BigIntStats): FolderIdentity {
  return `${dev}:${ino}` as FolderIdentity;
}

/** How many entries of a folder are looked at together. */
const lookupCount = 64;

/**
 * The regular files of a file or a folder, folder by folder, in the order of their names. It holds
 * the names of the folders it is in, never the tree.
 *
 * @param prefix the path in the package; empty where a folder's content is the package's.
 * @throws {StoreError} `invalid_path` for what no package can hold: a symbolic link, unless they are
 *   followed, a link that leads back, a device, a socket, a pipe, a name that breaks the path rules.
 */
export async function* walkTree(
  source: string,
  prefix: string,
  options: TreeOptions,
): AsyncGenerator<SourceFile> {
  yield* walkEntry(await look(source, options), prefix, [], options);
}

/** A place on disk; `stats` are those of the link's target where links are followed. */
interface Entry {
  readonly source: string;
  readonly stats: BigIntStats;
}

async function* walkEntry(
  entry: Entry,
  path: string,
  ancestors: readonly FolderIdentity[],
  options: TreeOptions,
): AsyncGenerator<SourceFile> {
  const { source, stats } = entry;
  if (stats.isDirectory()) {
    yield* walkFolder(entry, path, ancestors, options);
    return;
  }
  if (stats.isSymbolicLink()) throw await refusedLink(source);
  if (!stats.isFile()) {
    const kind = kindOf(stats);
    const message = `${source} is ${kind}; a package holds regular files only.`;
    throw new StoreError("invalid_path", message, { context: { path: source } });
  }
  assertFilePath(path);
  const executable = (stats.mode & 0o111n) !== 0n;
  yield { path, source, sizeBytes: Number(stats.size), executable, stats };
}

async function* walkFolder(
  { source, stats }: Entry,
  path: string,
  ancestors: readonly FolderIdentity[],
  options: TreeOptions,
): AsyncGenerator<SourceFile> {
  const identity = identityOf(stats);
  if (identity === options.instance) return;
  if (ancestors.includes(identity)) {
    const message = `${source} leads back to a folder that it lies in; leave it out with --exclude.`;
    throw new StoreError("invalid_path", message, { context: { path: source } });
  }
  const within = [...ancestors, identity];
  const names = await namesIn(source);
  for (let index = 0; index < names.length; index += lookupCount) {
    const paths = names
      .slice(index, index + lookupCount)
      .map((name) => ({ name, path: path === "" ? name : `${path}/${name}` }))
      .filter((child) => !options.isExcluded(child.path));
    const entries = await Promise.all(paths.map(({ name }) => look(join(source, name), options)));
    for (const [position, entry] of entries.entries()) {
      yield* walkEntry(entry, paths[position]?.path ?? "", within, options);
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  } catch (error) {
    throw systemError(error, "read the folder", folder);
  }
}

async function look(source: string, options: TreeOptions): Promise<Entry> {
  try {
    const see = options.follow ? stat : lstat;
    return { source, stats: await see(source, { bigint: true }) };
  } catch (error) {
    throw await unseen(error, source);
  }
}

async function unseen(error: unknown, source: string): Promise<StoreError> {
  const code = systemCode(error);
  const context = { path: source };
  if (code === "ELOOP") {
    const message = `${source} is a symbolic link that leads to itself.`;
    return new StoreError("invalid_path", message, { cause: error, context });
  }
  if (code !== "ENOENT") return systemError(error, "look at", source);
  // Node shows bytes that are no UTF-8 as U+FFFD, and no file has the name that this makes.
  if (source.includes("\ufffd")) {
    const message = `${source} has a name that is not UTF-8.`;
    return new StoreError("invalid_path", message, { cause: error, context });
  }
  const target = await readlink(source).catch(() => undefined);
  if (target === undefined) return systemError(error, "read", source);
  const message = `${source} is a symbolic link to ${target}, which does not exist.`;
  return new StoreError("invalid_path", message, { cause: error, context });
}

async function refusedLink(source: string): Promise<StoreError> {
  const target = await readlink(source).catch(() => "an unknown place");
  const message =
    `${source} is a symbolic link to ${target}; store what it points at with --follow, ` +
    "or leave it out with --exclude.";
  return new StoreError("invalid_path", message, { context: { path: source } });
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  if (stats.isBlockDevice()) return "a block device";
  if (stats.isCharacterDevice()) return "a character device";
  return "no regular file";
}
