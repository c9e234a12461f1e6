import { StoreError, assertFilePath } from "@store/identity";

/** One file of an archive. */
export interface ArchiveEntry {
  /** As a package's files have it: see `assertFilePath` of `@store/identity`. */
  readonly path: string;
  /** How many bytes {@link ArchiveEntry.open} will deliver, exactly. */
  readonly sizeBytes: number;
  /** Whether it is extracted with mode 0755 rather than 0644. */
  readonly executable: boolean;
  /**
   * The content, from its first byte. Called once, when the archive has come to this entry. A
   * chunk may be reused by the source once the next is asked for.
   */
  open(): AsyncIterable<Uint8Array>;
}

/** What the size of an archive follows from. */
export type ArchiveEntrySize = Pick<ArchiveEntry, "path" | "sizeBytes">;

/**
 * 1980-02-01T00:00:00Z in seconds of Unix time. A zip can express no time before 1980, so that what
 * was extracted can be put into one anywhere: west of Greenwich the first of January is in 1979.
 */
export const modifiedSeconds = 318_211_200;

/** The permission bits of an entry, the same for all who extract it. */
export function permissions(entry: ArchiveEntry): number {
  return entry.executable ? 0o755 : 0o644;
}

/**
 * @throws {StoreError} `invalid_path` for a path that could leave the folder it is extracted to,
 *   among others; `invalid_argument` for a size that is no count of bytes.
 */
export function assertEntry(entry: ArchiveEntrySize): void {
  assertFilePath(entry.path);
  if (Number.isSafeInteger(entry.sizeBytes) && entry.sizeBytes >= 0) return;
  throw new StoreError(
    "invalid_argument",
    `The size of '${entry.path}' is ${entry.sizeBytes}; give its bytes as a whole number.`,
    { context: { path: entry.path, expected: "whole number", actual: String(entry.sizeBytes) } },
  );
}
