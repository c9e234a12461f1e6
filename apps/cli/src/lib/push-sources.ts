import { lstat, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";

import { assertFilePath, StoreError } from "@store/identity";

import { UsageError } from "./usage-error.ts";
import type { ProgressTotals } from "./progress.ts";
import type { SourceFile } from "./source-file.ts";
import { walkTree, type TreeOptions } from "./tree.ts";

/** What `store push` was given, in the order given. */
export interface PushSources {
  readonly roots: readonly Root[];
  /** The path in the package that stdin becomes, where `-` was given. */
  readonly stdinPath?: string;
}

interface Root {
  readonly source: string;
  /** The path in the package; empty for a folder whose content is the package's. */
  readonly prefix: string;
}

/**
 * Says where in the package each path goes: the content of a single folder to the package's root,
 * everything else below its own name.
 */
export async function planSources(
  paths: readonly string[],
  options: { readonly stdinPath: string | undefined; readonly follow: boolean },
): Promise<PushSources> {
  const onDisk = paths.filter((path) => path !== "-");
  const stdinPath = planStdin(paths.length - onDisk.length, options.stdinPath);
  const [only] = onDisk;
  if (paths.length === 1 && only !== undefined && (await isFolder(only, options.follow))) {
    return { roots: [{ source: only, prefix: "" }] };
  }
  const roots = onDisk.map((source) => ({ source, prefix: basename(resolve(source)) }));
  assertDistinct([...roots.map((root) => root.prefix), ...(stdinPath ? [stdinPath] : [])]);
  return { roots, ...(stdinPath === undefined ? {} : { stdinPath }) };
}

function planStdin(count: number, path: string | undefined): string | undefined {
  if (count > 1) throw new UsageError("'-' was given twice.", "There is one stdin; give '-' once.");
  if (count === 0 && path !== undefined) {
    throw new UsageError("--path names what stdin becomes, but '-' was not given.", "Give '-'.");
  }
  if (count === 0) return undefined;
  if (path === undefined) {
    throw new UsageError(
      "Stdin has no name.",
      "Give the file's path in the package: store push - acme/app@1.0.0 --path app.tar",
    );
  }
  assertFilePath(path);
  return path;
}

/** A path that cannot be seen is told by the walk, which knows why. */
async function isFolder(path: string, follow: boolean): Promise<boolean> {
  const stats = await (follow ? stat(path) : lstat(path)).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

function assertDistinct(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  const message = `Two of the paths would both become '${twice}' in the package.`;
  throw new StoreError("path_conflict", message, { context: { path: twice } });
}

/** Every regular file of the sources; exclusions hold for what a folder has, not for what was named. */
export async function* walkSources(
  sources: PushSources,
  options: TreeOptions,
): AsyncGenerator<SourceFile> {
  for (const { source, prefix } of sources.roots) {
    yield* walkTree(source, prefix, options);
  }
}

/**
 * Walks once without reading, so that what no package can hold is refused before the first byte is
 * stored, and so that progress knows how much there is.
 *
 * @throws {StoreError} as {@link walkTree}; `invalid_argument` where there is no file at all.
 */
export async function surveySources(
  sources: PushSources,
  options: TreeOptions & { readonly signal: AbortSignal },
): Promise<ProgressTotals> {
  let files = 0;
  let sizeBytes = 0;
  for await (const file of walkSources(sources, options)) {
    options.signal.throwIfAborted();
    files += 1;
    sizeBytes += file.sizeBytes;
  }
  if (files === 0 && sources.stdinPath === undefined) {
    throw new UsageError(
      "There is no file to push.",
      "Empty folders are not kept; check the path and what --exclude leaves out.",
    );
  }
  return { files: files + (sources.stdinPath === undefined ? 0 : 1), sizeBytes };
}
