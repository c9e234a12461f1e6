export {
  archiveMediaTypes,
  archiveSizeBytes,
  createArchive,
  type ArchiveFormat,
  type ArchiveOptions,
} from "./lib/archive.ts";
export type { ArchiveEntry, ArchiveEntrySize } from "./lib/entry.ts";
