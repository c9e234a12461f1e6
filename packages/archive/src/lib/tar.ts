import { StoreError } from "@store/identity";
import { assertEntry, permissions } from "./entry.ts";
import type { ArchiveEntry, ArchiveEntrySize } from "./entry.ts";
import { blockBytes, paddedBytes, tarHeader, tarHeaderBytes } from "./tar-header.ts";
import type { ArchiveWork } from "./work.ts";

/** Two blocks of zeros end an archive (POSIX.1-2024, "ustar Interchange Format"). */
const endBytes = 2 * blockBytes;
const zeros = new Uint8Array(endBytes);

/** A tar in the pax interchange format, with an extended header only for what needs one. */
export async function* writeTar(
  entries: AsyncIterable<ArchiveEntry> | Iterable<ArchiveEntry>,
  work: ArchiveWork,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const entry of work.each(entries)) {
    assertEntry(entry);
    yield tarHeader(entry.path, entry.sizeBytes, permissions(entry));
    yield* work.content(entry);
    yield zeros.subarray(0, paddedBytes(entry.sizeBytes) - entry.sizeBytes);
    await work.breathe();
  }
  yield zeros;
}

/** The size of the tar that {@link writeTar} makes. */
export function tarSizeBytes(entries: Iterable<ArchiveEntrySize>): number {
  let sizeBytes = endBytes;
  for (const entry of entries) {
    assertEntry(entry);
    sizeBytes += tarHeaderBytes(entry.path, entry.sizeBytes) + paddedBytes(entry.sizeBytes);
  }
  if (Number.isSafeInteger(sizeBytes)) return sizeBytes;
  throw new StoreError("limit_exceeded", "The archive would have more than 2^53 bytes.", {
    context: { limit: Number.MAX_SAFE_INTEGER },
  });
}
