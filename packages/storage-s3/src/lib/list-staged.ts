import type { StagedStat } from "@store/storage";
import { s3Failure } from "./requests/failure.ts";
import { algorithms, partsOfId, type StagingKey } from "./layout.ts";
import { listKeys } from "./requests/listing.ts";
import type { LiveStaged } from "./staging/live-staged.ts";
import { listParts } from "./staging/multipart.ts";
import { orphanId } from "./staging/orphans.ts";
import { pieceChain, type PieceEntry } from "./staging/piece-chain.ts";
import type { Place } from "./place.ts";
import { isAbsent } from "./stat.ts";
import {
  type ListedUpload,
  listRecords,
  listUploads,
  type UploadRecord,
} from "./staging/upload-records.ts";

/** The lease of an upload that nobody can have any more: it was begun and never recorded. */
const ORPHAN_LEASE = "unfinished-upload";

/** Everything that is staged, here or elsewhere. Throws `StoreError`s. */
export async function* listStaged(
  place: Place,
  live: LiveStaged,
): AsyncGenerator<StagedStat, void, undefined> {
  const here = new Map(live.all().map((staged) => [staged.id, staged]));
  // The uploads first: whoever began one of them had put its record before.
  const uploads = await ourUploads(place);
  const uploading = new Map<string, UploadRecord>();
  for await (const record of listRecords(place)) uploading.set(record.id, record);
  for await (const { id, sizeBytes } of stagedInPieces(place)) {
    here.delete(id);
    // The upload that the pieces are copied to is a part of the same.
    uploading.delete(id);
    yield { id, lease: leaseOf(id), sizeBytes };
  }
  const records = [...uploading.values()];
  for (const record of records) {
    here.delete(record.id);
    const sizeBytes = await uploadedBytes(place, record);
    yield { id: record.id, lease: leaseOf(record.id), sizeBytes };
  }
  for (const { id, sizeBytes } of here.values()) yield { id, lease: leaseOf(id), sizeBytes };
  yield* orphans(place, uploads);
}

/** The unfinished uploads to keys of objects; others are not ours. */
async function ourUploads(place: Place): Promise<ListedUpload[]> {
  const found: ListedUpload[] = [];
  for (const algorithm of algorithms) {
    for await (const upload of listUploads(place, place.layout.objectsOf(algorithm))) {
      if (place.layout.addressOf(upload.key) !== undefined) found.push(upload);
    }
  }
  return found;
}

/** Those that no record speaks of, and that nobody can be about to record. */
async function* orphans(
  place: Place,
  uploads: readonly ListedUpload[],
): AsyncGenerator<StagedStat, void, undefined> {
  if (uploads.length === 0) return;
  const recorded = new Set<string>();
  const open = new Set<string>();
  for await (const { address, uploadId } of listRecords(place)) {
    if (uploadId === undefined) open.add(place.layout.object(address));
    else recorded.add(uploadId);
  }
  for (const upload of uploads) {
    if (recorded.has(upload.uploadId) || open.has(upload.key)) continue;
    const address = place.layout.addressOf(upload.key);
    if (address === undefined) continue;
    yield { id: orphanId(address, upload.uploadId), lease: ORPHAN_LEASE, sizeBytes: 0 };
  }
}

async function* stagedInPieces(
  place: Place,
): AsyncGenerator<{ readonly id: string; readonly sizeBytes: number }, void, undefined> {
  let entries: (PieceEntry & Pick<StagingKey, "id">)[] = [];
  for await (const { key, sizeBytes } of listKeys(place, place.layout.staging)) {
    const named = place.layout.stagingKey(key);
    if (named === undefined) continue;
    const last = entries.at(-1);
    if (last !== undefined && last.id !== named.id) {
      yield { id: last.id, sizeBytes: pieceChain(entries).sizeBytes };
      entries = [];
    }
    entries.push({ ...named, key, sizeBytes });
  }
  const last = entries.at(-1);
  if (last !== undefined) yield { id: last.id, sizeBytes: pieceChain(entries).sizeBytes };
}

async function uploadedBytes(place: Place, { address, uploadId }: UploadRecord): Promise<number> {
  if (uploadId === undefined) return 0;
  try {
    const parts = await listParts(place, place.layout.object(address), uploadId);
    return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  } catch (error) {
    if (isAbsent(error)) return 0;
    throw s3Failure(error, `look for the upload to ${address}`, address);
  }
}

function leaseOf(id: string): string {
  return partsOfId(id)?.lease ?? "";
}
