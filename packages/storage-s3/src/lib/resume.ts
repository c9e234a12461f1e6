import { stagedNotFound } from "./requests/failure.ts";
import { InPlaceSink } from "./staging/in-place-sink.ts";
import { partsOfId } from "./layout.ts";
import type { LiveStaged } from "./staging/live-staged.ts";
import { MultipartUpload } from "./staging/multipart.ts";
import { firstPartBytes } from "./staging/part-sizes.ts";
import { PieceSink } from "./staging/piece-sink.ts";
import { chainOf } from "./staging/pieces.ts";
import type { Place } from "./place.ts";
import { S3Staged } from "./staging/staged.ts";
import { readRecord } from "./staging/upload-records.ts";

/**
 * Goes on with staged bytes where they are durable, from their id alone. Throws `StoreError`s,
 * `staged_not_found` among them.
 */
export async function resumeStaged(place: Place, live: LiveStaged, id: string): Promise<S3Staged> {
  const named = partsOfId(id);
  if (named === undefined) throw stagedNotFound(id);
  const { claim, storageClass } = named;
  const before = live.get(id);
  await before?.surrender();
  const firstBytes = firstPartBytes(place.settings.partBytes, undefined);
  const staging = { id, storageClass, firstBytes };
  const chain = await chainOf(place, id);
  if (chain !== undefined) {
    const sink = new PieceSink(place, staging, chain);
    if (!chain.isFinal) await sink.claim();
    return new S3Staged(place, live, { staging, claim, sink, readBack: chain.isFinal });
  }
  const record = claim === undefined ? undefined : await readRecord(place, claim, id);
  if (claim !== undefined && record?.uploadId !== undefined) {
    const upload = await MultipartUpload.reopen(place, { id, address: claim }, record.uploadId);
    const sink = new InPlaceSink(place, staging, claim, upload);
    return new S3Staged(place, live, { staging, claim, sink });
  }
  // Staged here and never synced: nothing of it is durable.
  if (before?.isInBucket === false) return new S3Staged(place, live, { staging, claim });
  throw stagedNotFound(id);
}
