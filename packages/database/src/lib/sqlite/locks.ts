/** Locks between processes on SQLite: files that SQLite itself locks. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "@store/identity";
import { assertLockName } from "../lock-names.ts";
import { createDatabaseFile } from "./file.ts";
import { isBusy, sqliteError } from "./errors.ts";
import type { HeldLock } from "../types.ts";

interface Held {
  readonly losing: AbortController;
  /** Nothing for a database in memory, which no other process shares. */
  readonly file: DatabaseSync | undefined;
}

/**
 * A lock is an exclusive transaction on a small database of its own in `<database>.locks/`. The
 * operating system ends it with the process, however that ends.
 */
export class SqliteLocks {
  readonly #folder: string | undefined;
  readonly #held = new Map<string, Held>();
  #closed = false;

  /** `path` of the database, or nothing where it is in memory. */
  constructor(path: string | undefined) {
    this.#folder = path === undefined ? undefined : `${path}.locks`;
  }

  /** Takes the lock `name` of the instance, unless somebody holds it. */
  tryLock(name: string): HeldLock | undefined {
    assertLockName(name);
    if (this.#closed) throw new StoreError("closed", "The database is closed.");
    if (this.#held.has(name)) return undefined;
    const file = this.#folder === undefined ? undefined : takeFile(join(this.#folder, name));
    if (file === "busy") return undefined;
    const held = { losing: new AbortController(), file };
    this.#held.set(name, held);
    return {
      signal: held.losing.signal,
      release: () => {
        if (this.#held.get(name) !== held) return Promise.resolve();
        this.#held.delete(name);
        held.file?.close();
        return Promise.resolve();
      },
    };
  }

  close(): void {
    this.#closed = true;
    for (const [name, { losing, file }] of this.#held) {
      file?.close();
      const message = `The lock "${name}" was given back when the database was closed.`;
      losing.abort(new StoreError("aborted", message));
    }
    this.#held.clear();
  }
}

function takeFile(path: string): DatabaseSync | "busy" {
  createDatabaseFile(path);
  let file: DatabaseSync | undefined;
  try {
    file = new DatabaseSync(path, { timeout: 0 });
    file.exec("BEGIN EXCLUSIVE");
    return file;
  } catch (error) {
    file?.close();
    if (isBusy(error)) return "busy";
    throw sqliteError(error);
  }
}
