export const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** The least that S3 takes as a part which is not the last. */
export const LEAST_PART_BYTES = 5 * MIB;
/** The most that the first parts may be told to have; larger ones wait in a file. */
export const MOST_PART_BYTES = 32 * MIB;
/** How many parts S3 takes of one object. */
export const MOST_PARTS = 10_000;
/** The most that S3 copies at once, and the most that a part may have. */
export const MOST_COPIED_BYTES = 5 * GIB;
/** Up to here an object is held in memory and put in one request. */
export const HELD_BYTES = 16 * MIB;
/** What the parts of one upload take of memory, those on their way and the one being filled. */
const UPLOAD_BYTES = 64 * MIB;
/** Parts in files that are on their way at once: they take room on the disk. */
const PARALLEL_FILES = 2;

/** So many parts have the size that was asked for; then it doubles again and again. */
const EQUAL_PARTS = 4000;
const DOUBLING_PARTS = 500;
/** An object of known size is cut into no more parts than this, while memory can hold them. */
const WANTED_PARTS = 3500;

/**
 * The size of the part `index`, counted from 0, in bytes: equal parts first, then larger and
 * larger ones, so that 5 TiB fit in 10,000 parts while most objects never leave memory.
 */
export function partBytesAt(index: number, firstBytes: number): number {
  const doublings =
    index < EQUAL_PARTS ? 0 : Math.floor((index - EQUAL_PARTS) / DOUBLING_PARTS) + 1;
  return Math.min(firstBytes * 2 ** doublings, MOST_COPIED_BYTES);
}

/**
 * The least size of the part `index` that may not be the last: what S3 takes, as long as there are
 * parts enough for senders who have their bytes made durable every few megabytes.
 */
export function leastPartBytesAt(index: number, firstBytes: number): number {
  return index < EQUAL_PARTS ? LEAST_PART_BYTES : partBytesAt(index, firstBytes);
}

/** The size of the first parts of an object whose size may be known. */
export function firstPartBytes(settingBytes: number, expectedBytes: number | undefined): number {
  const wanted = Math.ceil((expectedBytes ?? 0) / WANTED_PARTS / MIB) * MIB;
  return Math.max(settingBytes, Math.min(wanted, MOST_PART_BYTES));
}

/** Whether a part of that size waits in a file and not in memory. */
export function isSpooled(partBytes: number): boolean {
  return partBytes > MOST_PART_BYTES;
}

/** How many parts of one upload may be on their way while another is filled. */
export function parallelAt(partBytes: number, settingParts: number): number {
  const most = isSpooled(partBytes) ? PARALLEL_FILES : Math.floor(UPLOAD_BYTES / partBytes) - 1;
  return Math.max(1, Math.min(settingParts, most));
}
