import { partsOfId } from "./layout.ts";
import type { LiveStaged } from "./staging/live-staged.ts";
import { orphanOf } from "./staging/orphans.ts";
import { removePieces } from "./staging/pieces.ts";
import type { Place } from "./place.ts";
import { abortUpload, discardRecord, listRecords } from "./staging/upload-records.ts";

/**
 * Discards staged bytes, whoever staged them: the upload that they go to, then their pieces. Throws
 * `StoreError`s.
 */
export async function discardStaged(place: Place, live: LiveStaged, id: string): Promise<void> {
  const orphan = typeof id === "string" ? orphanOf(id) : undefined;
  if (orphan !== undefined) {
    const { address, uploadId } = orphan;
    return abortUpload(place, { key: place.layout.object(address), uploadId });
  }
  const named = partsOfId(id);
  if (named === undefined) return;
  await live.get(id)?.abort();
  // Bytes without a claim may be on their way to any object.
  for await (const record of listRecords(place, named.claim)) {
    if (record.id === id) await discardRecord(place, record);
  }
  await removePieces(place, id);
}
