/** The file of a SQLite database: only its owner may read it. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "@store/identity";

/** Creates `path` (0600) and its folder (0700) where they are not there yet. */
export function createDatabaseFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives its write-ahead log the permissions of the database.
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    throw fileError(path, error);
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
