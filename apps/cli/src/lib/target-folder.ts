import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, mkdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { assertFilePath, findPathConflict, pathAncestors, StoreError } from "@store/identity";
import { makeFolders } from "@store/server/process";

import { systemCode, systemError } from "./system-error.ts";

/**
 * A folder that a package is pulled into. Files are first written to a staging folder beside their
 * place, on the same file system, and moved once all of them are whole: so a pull that fails leaves
 * the target as it was.
 */
export class TargetFolder {
  /** Absolute. */
  readonly folder: string;
  readonly #force: boolean;
  /** Whether the folder was there before. */
  readonly #exists: boolean;
  /** What existed of the folder's path, so that what was made besides can be removed again. */
  #firstMade: string | undefined;
  #staging: string | undefined;
  readonly #stagedFolders = new Map<string, Promise<void>>();

  private constructor(folder: string, force: boolean, exists: boolean) {
    this.folder = folder;
    this.#force = force;
    this.#exists = exists;
  }

  /**
   * Looks whether every path can be written, and writes nothing.
   *
   * @throws {StoreError} `path_conflict` naming what is in the way, `invalid_path` for a path that
   *   leads out of the folder.
   */
  static async inspect(
    folder: string,
    paths: readonly string[],
    options: { readonly force: boolean },
  ): Promise<TargetFolder> {
    for (const path of paths) assertFilePath(path);
    const conflict = findPathConflict(paths);
    if (conflict !== undefined) throw inTheWay(conflict.path, "another path of the package");
    const absolute = resolve(folder);
    const stats = await statOrUndefined(absolute, stat);
    if (stats !== undefined && !stats.isDirectory()) throw inTheWay(absolute, "a file");
    const target = new TargetFolder(absolute, options.force, stats !== undefined);
    if (stats !== undefined) await target.#assertFree(paths);
    return target;
  }

  /** Makes the staging folder. */
  async prepare(): Promise<void> {
    const parent = this.#exists ? this.folder : dirname(this.folder);
    try {
      this.#firstMade = await makeFolders(parent);
      const staging = join(parent, `.store-pull-${randomUUID()}`);
      await mkdir(staging);
      this.#staging = staging;
    } catch (error) {
      await this.discard();
      throw systemError(error, "write to", parent);
    }
  }

  /**
   * Makes the folders of a path, and says where its file is to be staged. The caller creates it
   * exclusively.
   */
  async stage(path: string): Promise<string> {
    for (const folder of pathAncestors(path)) {
      const made = this.#stagedFolders.get(folder) ?? this.#makeStaged(folder);
      this.#stagedFolders.set(folder, made);
      await made;
    }
    return this.#staged(path);
  }

  /** Moves everything to its place. */
  async publish(paths: readonly string[]): Promise<void> {
    if (!this.#exists) {
      await this.#move("", this.folder);
      this.#staging = undefined;
      return;
    }
    const made = new Set<string>();
    for (const path of paths) {
      for (const folder of pathAncestors(path)) {
        if (made.has(folder)) continue;
        await makeFolder(join(this.folder, folder));
        made.add(folder);
      }
      await this.#assertPlaceFree(path);
      await this.#move(path, join(this.folder, path));
    }
    await this.discard();
  }

  /** Removes what was staged, and folders that were made only to hold it. */
  async discard(): Promise<void> {
    if (this.#staging !== undefined) await rm(this.#staging, { recursive: true, force: true });
    this.#staging = undefined;
    if (this.#firstMade === undefined || this.#exists) return;
    const last = dirname(this.#firstMade);
    for (let folder = dirname(this.folder); folder !== last; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        // Somebody else uses it by now.
        return;
      }
    }
  }

  #staged(path: string): string {
    if (this.#staging === undefined) throw new StoreError("internal", "Nothing was prepared.");
    return join(this.#staging, path);
  }

  /**
   * In a fresh folder a name is taken only where this file system does not tell two names of the
   * package apart, by case or by Unicode form.
   */
  async #makeStaged(folder: string): Promise<void> {
    try {
      await mkdir(this.#staged(folder));
    } catch (error) {
      if (systemCode(error) === "EEXIST") throw indistinct(folder, error);
      throw systemError(error, "make the folder", join(this.folder, folder));
    }
  }

  async #move(path: string, place: string): Promise<void> {
    try {
      await rename(this.#staged(path), place);
    } catch (error) {
      throw systemError(error, "write", place);
    }
  }

  async #assertFree(paths: readonly string[]): Promise<void> {
    const seen = new Map<string, boolean>();
    for (const path of paths) {
      let exists = true;
      for (const folder of pathAncestors(path)) {
        exists = exists && (seen.get(folder) ?? (await isRealFolder(join(this.folder, folder))));
        seen.set(folder, exists);
      }
      if (exists) await this.#assertPlaceFree(path);
    }
  }

  async #assertPlaceFree(path: string): Promise<void> {
    const place = join(this.folder, path);
    const stats = await statOrUndefined(place, lstat);
    if (stats === undefined) return;
    if (stats.isDirectory()) throw inTheWay(place, "a folder");
    if (!this.#force) throw inTheWay(place, "a file", "; overwrite it with --force");
  }
}

/** Two paths of the package that this file system takes for one. */
export function indistinct(path: string, cause: unknown): StoreError {
  const message =
    `'${path}' cannot be told apart from another path of the package on this file system; ` +
    "pull to one that knows upper from lower case.";
  return new StoreError("path_conflict", message, { cause, context: { path } });
}

async function makeFolder(folder: string): Promise<void> {
  if (await isRealFolder(folder)) return;
  try {
    await mkdir(folder);
  } catch (error) {
    throw systemError(error, "make the folder", folder);
  }
}

/** False where nothing is there. A symbolic link is refused: it may lead out of the target. */
async function isRealFolder(folder: string): Promise<boolean> {
  const stats = await statOrUndefined(folder, lstat);
  if (stats === undefined) return false;
  if (stats.isDirectory()) return true;
  throw inTheWay(folder, stats.isSymbolicLink() ? "a symbolic link" : "a file");
}

async function statOrUndefined(
  path: string,
  see: (path: string) => Promise<Stats>,
): Promise<Stats | undefined> {
  try {
    return await see(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw systemError(error, "look at", path);
  }
}

function inTheWay(path: string, what: string, hint = ""): StoreError {
  const message = `${path} cannot be written: ${what} is in the way${hint}.`;
  return new StoreError("path_conflict", message, { context: { path } });
}
