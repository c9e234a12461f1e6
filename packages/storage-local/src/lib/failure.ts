import { isStoreError, StoreError, type StoreErrorCode } from "@store/identity";

const codeOfErrno: ReadonlyMap<string, StoreErrorCode> = new Map([
  ["ENOSPC", "storage_full"],
  ["EDQUOT", "storage_full"],
  ["EFBIG", "storage_full"],
  ["EACCES", "permission_denied"],
  ["EPERM", "permission_denied"],
  ["EROFS", "permission_denied"],
]);

const remedies: Partial<Record<StoreErrorCode, string>> = {
  storage_full: "The disk, its inodes or a quota are used up: free space or raise the limit.",
  permission_denied: "Let the process's user read and write the storage root.",
  storage_unavailable: "Check the disk and the mount of the storage root, then try again.",
};

/** The system's name of an error, such as `ENOENT`, where it has one. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * The `StoreError` for a failure of the operating system. `what` says what was being done, with
 * the address or id; the paths of the machine stay in the cause.
 */
export function storageFailure(error: unknown, what: string, reference?: string): StoreError {
  if (isStoreError(error)) return error;
  const errno = errnoOf(error);
  const code = codeOfErrno.get(errno ?? "") ?? "storage_unavailable";
  const reason = errno ?? (error instanceof Error ? error.message : String(error));
  return new StoreError(code, `Failed to ${what} (${reason}). ${remedies[code] ?? ""}`, {
    cause: error,
    context: reference === undefined ? {} : { reference },
  });
}
