import { constants } from "node:fs";
import { errnoOf } from "./failure.ts";
import type { FileSystem } from "./file-system.ts";
import { type Key, parentOf, pathIn } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";

const FOLDER_MODE = 0o700;
const alreadyDurable = { created: false, makeDurable: async () => {} };

/** A folder that exists. */
export interface EnsuredFolder {
  /** Whether this call made it, so that it was empty. */
  readonly created: boolean;
  /**
   * Lets the folder itself, with all folders above it, survive a crash. It costs least after
   * something else was synced: a journal that has been written holds the folder too.
   */
  readonly makeDurable: () => Promise<void>;
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
  #failures = 0;
  #lastFailure: unknown;
  readonly #running = new Map<Key, Promise<void>>();
  readonly #next = new Map<Key, Promise<void>>();

  constructor(fileSystem: FileSystem, root: string, files: OpenFiles) {
    this.#fileSystem = fileSystem;
    this.#root = root;
    this.#files = files;
  }

  /** Makes a folder and those above it, where they are not there. */
  async ensure(folder: Key): Promise<EnsuredFolder> {
    if (this.#durable.has(folder)) return alreadyDurable;
    const failures = this.#failures;
    const above = await this.ensure(parentOf(folder));
    const created = await this.#make(folder);
    return { created, makeDurable: () => this.#makeDurable(folder, above, failures) };
  }

  /**
   * How many syncs have failed. The system reports a lost change once: whoever syncs next is told
   * that all is well. So a change is durable only if no sync failed between it and its own.
   */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Makes the entries of a folder durable, as they are when this is called. `failures` is what
   * {@link failures} was before they were changed. Calls that come while one sync runs share the
   * next, since the one that runs may have begun before.
   */
  async sync(folder: Key, failures: number): Promise<void> {
    await this.#nextSync(folder);
    if (this.#failures !== failures) throw this.#lastFailure;
  }

  /** Whether the last sync of a folder failed, so that an entry in it may be lost. */
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
      await this.#fileSystem.mkdir(pathIn(this.#root, folder), FOLDER_MODE);
      return true;
    } catch (error) {
      if (errnoOf(error) === "EEXIST") return false;
      if (errnoOf(error) === "ENOENT") this.forget();
      throw error;
    }
  }

  async #makeDurable(folder: Key, above: EnsuredFolder, failures: number): Promise<void> {
    try {
      await above.makeDurable();
      await this.sync(parentOf(folder), failures);
      this.#durable.add(folder);
    } catch (error) {
      // Made again, the folder is a new change, which a new sync can speak for. If it holds
      // something by now, it stays.
      await this.#fileSystem.rmdir(pathIn(this.#root, folder)).catch(() => {});
      throw error;
    }
  }

  #nextSync(folder: Key): Promise<void> {
    const waiting = this.#next.get(folder);
    if (waiting !== undefined) return waiting;
    const running = this.#running.get(folder);
    if (running === undefined) return this.#start(folder);
    const start = () => {
      this.#next.delete(folder);
      return this.#start(folder);
    };
    const next = running.then(start, start);
    this.#next.set(folder, next);
    return next;
  }

  #start(folder: Key): Promise<void> {
    const work = this.#fsync(folder).finally(() => this.#running.delete(folder));
    this.#running.set(folder, work);
    return work;
  }

  async #fsync(folder: Key): Promise<void> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    const descriptor = await this.#files.open(pathIn(this.#root, folder), flags);
    try {
      await this.#fileSystem.fsync(descriptor);
      this.#files.closeSynced(descriptor);
      this.#doubtful.delete(folder);
    } catch (error) {
      void this.#files.close(descriptor);
      this.#doubtful.add(folder);
      this.#failures++;
      this.#lastFailure = error;
      throw error;
    }
  }
}
