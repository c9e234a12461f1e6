/** SQLite's result codes in the words of Store. */
import { StoreError, isStoreError } from "@store/identity";

// https://www.sqlite.org/rescode.html, primary result codes.
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
/** The extended code for a full disk that has no room for the -shm file. */
const IOERR_SHMSIZE = 4874;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PERM = 3;
const AUTH = 23;
const NOTADB = 26;

/** Whether another connection holds a lock that will be given back, said by either kind of error. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(isStoreError(error) ? error.cause : error);
  return code === BUSY || code === LOCKED;
}

/** The `StoreError` for an error of `node:sqlite`; a `StoreError` is returned as it is. */
export function sqliteError(error: unknown): StoreError {
  if (isStoreError(error)) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (error instanceof Error && "code" in error && error.code === "ERR_INVALID_STATE") {
    return new StoreError("closed", "The database is closed.", cause);
  }
  switch (extendedCode(error) === IOERR_SHMSIZE ? FULL : primaryCode(error)) {
    case BUSY:
    case LOCKED:
      return new StoreError(
        "database_unavailable",
        `The database stayed locked by another process (${detail}); try again.`,
        cause,
      );
    case FULL:
      return new StoreError(
        "storage_full",
        `The database cannot grow (${detail}); free some space where it is kept.`,
        cause,
      );
    case READONLY:
    case PERM:
    case AUTH:
      return new StoreError(
        "permission_denied",
        `The database cannot be written (${detail}); check who owns the file and its folder.`,
        cause,
      );
    case CANTOPEN:
      return new StoreError(
        "database_unavailable",
        `The database cannot be opened (${detail}); check that its folder exists and is yours.`,
        cause,
      );
    case IOERR:
      return new StoreError(
        "database_unavailable",
        `The database's disk failed (${detail}); check the disk before trying again.`,
        cause,
      );
    case CORRUPT:
    case NOTADB:
      return new StoreError(
        "database_unavailable",
        `The database file is damaged or is no database (${detail}); restore a backup.`,
        cause,
      );
    default:
      return new StoreError("internal", `SQLite refused a statement: ${detail}.`, cause);
  }
}

function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

function extendedCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}
