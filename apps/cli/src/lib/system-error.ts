import { isStoreError, StoreError, type StoreErrorCode } from "@store/identity";

import { HintedError } from "./hinted-error.ts";

const codes: Readonly<Record<string, StoreErrorCode>> = {
  ENOENT: "file_not_found",
  ENOTDIR: "file_not_found",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  EROFS: "permission_denied",
  EEXIST: "path_conflict",
  EISDIR: "path_conflict",
  ENOTEMPTY: "path_conflict",
  ENOSPC: "storage_full",
  EDQUOT: "storage_full",
  ENAMETOOLONG: "invalid_path",
};

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EACCES: "access is denied",
  EPERM: "the system does not permit it",
  EROFS: "the file system is read-only",
  EEXIST: "something is there already",
  EISDIR: "a folder is there",
  ENOTEMPTY: "a folder that holds something is there",
  ENOSPC: "no space is left",
  EDQUOT: "the quota is used up",
  ENAMETOOLONG: "the name is too long",
};

/** What the operating system refused, as a StoreError that says what was tried with which path. */
export function systemError(error: unknown, tried: string, path: string): StoreError {
  if (isStoreError(error)) return error;
  const code = systemCode(error) ?? "";
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  const known = codes[code] ?? "storage_unavailable";
  const message = `Cannot ${tried} ${path}: ${reason}.`;
  const options = { cause: error, context: { path } };
  // A file of a package is not there either, but is looked for elsewhere.
  if (known === "file_not_found")
    return new HintedError(known, message, "Check the path.", options);
  return new StoreError(known, message, options);
}

/** `ENOENT` and the like, where the error has one. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
