/** The file of a SQLite database: only its owner may read it. */
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "@store/identity";

/**
 * Creates `path` (0600) and the folder that it lies in (0700) where they are not there yet. No more
 * folders than that one: a path that is far from anything there is more likely a mistake.
 */
export function createDatabaseFile(path: string): void {
  try {
    const folder = dirname(path);
    if (!existsSync(folder)) makeFolder(folder);
    // SQLite gives its write-ahead log the permissions of the database.
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    throw fileError(path, error);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it in between.
    if (!existsSync(folder)) throw error;
  }
}

function fileError(path: string, error: unknown): StoreError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const options = { cause: error, context: { path } };
  switch (code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new StoreError(
        "permission_denied",
        `The database ${path} cannot be written (${code}); check who owns it and its folder.`,
        options,
      );
    case "ENOENT":
      return new StoreError(
        "database_unavailable",
        `The database ${path} cannot be created: make the folder that it should lie in first.`,
        options,
      );
    case "ENOSPC":
    case "EDQUOT":
      return new StoreError(
        "storage_full",
        `There is no space to create the database ${path}; free some.`,
        options,
      );
    default:
      return new StoreError(
        "database_unavailable",
        `The database ${path} cannot be created (${String(code ?? error)}).`,
        options,
      );
  }
}
