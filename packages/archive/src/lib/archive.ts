import { StoreError } from "@store/identity";
import { coalesce } from "./coalesce.ts";
import type { ArchiveEntry, ArchiveEntrySize } from "./entry.ts";
import { writeGzip } from "./gzip.ts";
import { tarSizeBytes, writeTar } from "./tar.ts";
import { ArchiveWork } from "./work.ts";
import { writeZip } from "./zip.ts";

/** The media type of each format. */
export const archiveMediaTypes = {
  tar: "application/x-tar",
  "tar.gz": "application/gzip",
  zip: "application/zip",
} as const;

/** A format that can be written; its name is the usual extension too. */
export type ArchiveFormat = keyof typeof archiveMediaTypes;

/** How {@link createArchive} works. */
export interface ArchiveOptions {
  /** Ends the archive with `aborted`, also while a source is awaited. */
  readonly signal?: AbortSignal;
}

/**
 * An archive of `entries`, in their order, as a stream that can be read once. The same entries
 * give the same bytes on every machine, at any time. Nothing is read before the first chunk is
 * asked for, and no more than is needed for the next. A chunk of a source may be passed on as it
 * is, so one belongs to the reader only until it asks for the next.
 *
 * Leaving the iteration early ends the sources. What a source or `entries` throws is passed on as
 * it is; whatever was delivered by then is no whole archive.
 *
 * Paths must differ, and none may be a folder of another, as in a manifest; this is not checked.
 *
 * @throws {StoreError} `invalid_argument` for another format, at once. While reading:
 *   `invalid_path`, `invalid_argument` for an entry that is none, `size_mismatch` for a source that
 *   delivers another number of bytes than its entry says, `aborted`.
 */
export function createArchive(
  format: ArchiveFormat,
  entries: AsyncIterable<ArchiveEntry> | Iterable<ArchiveEntry>,
  options: ArchiveOptions = {},
): AsyncIterable<Uint8Array> {
  const work = new ArchiveWork(options.signal);
  switch (format) {
    case "tar":
      return coalesce(writeTar(entries, work));
    case "tar.gz":
      return coalesce(writeGzip(writeTar(entries, work), work));
    case "zip":
      return coalesce(writeZip(entries, work));
    default:
      throw unknownFormat(format);
  }
}

/**
 * How many bytes {@link createArchive} will give, for a `Content-Length`; undefined where this is
 * known only after compressing, which is so for all formats but `tar`.
 *
 * @throws {StoreError} `invalid_argument` for another format or a size that is none,
 *   `invalid_path`; `limit_exceeded` beyond 2^53 bytes.
 */
export function archiveSizeBytes(
  format: ArchiveFormat,
  entries: Iterable<ArchiveEntrySize>,
): number | undefined {
  if (!Object.hasOwn(archiveMediaTypes, format)) throw unknownFormat(format);
  return format === "tar" ? tarSizeBytes(entries) : undefined;
}

function unknownFormat(format: unknown): StoreError {
  const expected = Object.keys(archiveMediaTypes).join(", ");
  return new StoreError(
    "invalid_argument",
    `There is no archive format '${String(format)}'; use one of ${expected}.`,
    { context: { expected, actual: String(format) } },
  );
}
