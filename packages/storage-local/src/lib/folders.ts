import { constants } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "./failure.ts";
import type { FileSystem } from "./file-system.ts";
import { type Key, parentOf } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";

const FOLDER_MODE = 0o700;

/** A folder that exists. */
export interface EnsuredFolder {
  /** Whether this call made it, so that it was empty. */
  readonly created: boolean;
  /** Resolves once the folder itself, with all folders above it, survives a crash. */
  readonly durable: Promise<void>;
}

/**
 * The folders below a root, and which of them are known to survive a crash.
 *
 * A folder is durable once its parent has been synced after the folder was there. Whoever finds
 * a folder cannot see whether that has happened: the process that made it may still be about to.
 * So every process syncs a folder's parent once before it relies on the folder, also where it
 * did not make it. Folders are never removed once an object may be in them; so what was durable
 * stays durable.
 */
export class Folders {
  readonly #fileSystem: FileSystem;
  readonly #root: string;
  readonly #files: OpenFiles;
  /** At most the layout's 65,792 folders an algorithm. */
  readonly #durable = new Set<Key>([""]);
  readonly #doubtful = new Set<Key>();
  readonly #running = new Map<Key, Promise<void>>();
  readonly #next = new Map<Key, Promise<void>>();

  constructor(fileSystem: FileSystem, root: string, files: OpenFiles) {
    this.#fileSystem = fileSystem;
    this.#root = root;
    this.#files = files;
  }

  /** Makes a folder and those above it, where they are not there. */
  async ensure(folder: Key): Promise<EnsuredFolder> {
    if (this.#durable.has(folder)) return { created: false, durable: Promise.resolve() };
    const above = await this.ensure(parentOf(folder));
    const created = await this.#make(folder);
    const durable = this.#makeDurable(folder, above.durable);
    // Whoever asked may fail before it looks at the outcome.
    durable.catch(() => {});
    return { created, durable };
  }

  /**
   * Makes the entries of a folder durable, as they are when this is called. Calls that come while
   * one sync runs share the next.
   */
  sync(folder: Key): Promise<void> {
    const waiting = this.#next.get(folder);
    if (waiting !== undefined) return waiting;
    const running = this.#running.get(folder);
    if (running === undefined) return this.#start(folder);
    // A running sync may have begun before the entry was there, and proves nothing about it. If
    // it fails, the entry may be among what was lost, and another sync would not say so.
    const next = running.finally(() => this.#next.delete(folder)).then(() => this.#start(folder));
    this.#next.set(folder, next);
    return next;
  }

  /**
   * Whether the last sync of a folder failed. The system may have dropped the change and will
   * not report it twice, so that a later sync that succeeds proves only what is changed after.
   */
  isDoubtful(folder: Key): boolean {
    return this.#doubtful.has(folder);
  }

  /** Relies on no folder any more: one of them is not where it was. */
  forget(): void {
    this.#durable.clear();
    this.#durable.add("");
  }

  async #make(folder: Key): Promise<boolean> {
    try {
      await this.#fileSystem.mkdir(join(this.#root, folder), FOLDER_MODE);
      return true;
    } catch (error) {
      if (errnoOf(error) === "EEXIST") return false;
      if (errnoOf(error) === "ENOENT") this.forget();
      throw error;
    }
  }

  async #makeDurable(folder: Key, above: Promise<void>): Promise<void> {
    try {
      await Promise.all([above, this.sync(parentOf(folder))]);
      this.#durable.add(folder);
    } catch (error) {
      // Made again, the folder is a new change, which a new sync can speak for. If it holds
      // something by now, it stays.
      await this.#fileSystem.rmdir(join(this.#root, folder)).catch(() => {});
      throw error;
    }
  }

  #start(folder: Key): Promise<void> {
    const work = this.#fsync(folder).finally(() => this.#running.delete(folder));
    this.#running.set(folder, work);
    return work;
  }

  async #fsync(folder: Key): Promise<void> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    const descriptor = await this.#files.open(join(this.#root, folder), flags);
    try {
      await this.#fileSystem.fsync(descriptor);
      this.#doubtful.delete(folder);
    } catch (error) {
      this.#doubtful.add(folder);
      throw error;
    } finally {
      void this.#files.close(descriptor);
    }
  }
}
