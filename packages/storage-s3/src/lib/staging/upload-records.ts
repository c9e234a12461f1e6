import type { ListMultipartUploadsCommandOutput } from "@aws-sdk/client-s3";
import type { ContentAddress } from "@store/identity";
import { nameOf, s3Failure } from "../requests/failure.ts";
import type { Key } from "../layout.ts";
import { listKeys } from "../requests/listing.ts";
import type { Place } from "../place.ts";
import { putText } from "../requests/put-bytes.ts";
import { removeKey } from "../remove.ts";
import { listsWrongly, shortText } from "../requests/short-answers.ts";
import { isAbsent } from "../stat.ts";

/**
 * A multipart upload to an object's own key has no name of ours: only its record says whose it is.
 * Whoever begins one puts an empty record first, then begins, then writes the upload's id into the
 * record. So wherever the process dies, a sweep finds the record, and by it the upload.
 */
export interface UploadRecord {
  readonly id: string;
  readonly address: ContentAddress;
  /** Undefined where the process may have died between the two requests. */
  readonly uploadId: string | undefined;
}

/** An upload as the store lists it. */
export interface ListedUpload {
  readonly key: Key;
  readonly uploadId: string;
}

export async function putRecord(
  place: Place,
  address: ContentAddress,
  id: string,
  uploadId?: string,
): Promise<void> {
  const text = uploadId === undefined ? "" : JSON.stringify({ uploadId });
  await putText(place, place.layout.upload(address, id), text);
}

/** The record, or undefined where there is none. */
export async function readRecord(
  place: Place,
  address: ContentAddress,
  id: string,
): Promise<UploadRecord | undefined> {
  const input = { Bucket: place.bucket, Key: place.layout.upload(address, id) };
  try {
    const text = await place.attempt(async (client) => {
      const { Body } = await client.send(new place.sdk.GetObjectCommand(input));
      return shortText(Body);
    });
    return { id, address, uploadId: uploadIdIn(text) };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw s3Failure(error, `look for the upload ${id}`, id);
  }
}

function uploadIdIn(text: string): string | undefined {
  if (text === "") return undefined;
  const value: unknown = JSON.parse(text);
  const isRecord = typeof value === "object" && value !== null && "uploadId" in value;
  return isRecord && typeof value.uploadId === "string" ? value.uploadId : undefined;
}

export async function removeRecord(
  place: Place,
  address: ContentAddress,
  id: string,
): Promise<void> {
  const what = `forget the upload ${id} to ${address}`;
  await removeKey(place, place.layout.upload(address, id), what, id);
}

/** The records of the uploads to one object, or to any. */
export async function* listRecords(
  place: Place,
  address?: ContentAddress,
): AsyncGenerator<UploadRecord, void, undefined> {
  const { layout } = place;
  const prefix = address === undefined ? layout.uploads : layout.uploadsTo(address);
  for await (const { key } of listKeys(place, prefix)) {
    const named = layout.uploadKey(key);
    if (named === undefined) continue;
    const record = await readRecord(place, named.address, named.id);
    if (record !== undefined) yield record;
  }
}

/** The unfinished uploads whose keys begin so. */
export async function* listUploads(
  place: Place,
  prefix: Key,
): AsyncGenerator<ListedUpload, void, undefined> {
  let marker: UploadMarker | undefined = {};
  while (marker !== undefined) {
    const page = await uploadPage(place, prefix, marker);
    for (const { Key: key = "", UploadId: uploadId = "" } of page.Uploads ?? []) {
      yield { key, uploadId };
    }
    const next = markerBehind(page);
    if (next !== undefined && isSame(next, marker)) throw listsWrongly();
    marker = next;
  }
}

interface UploadMarker {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

function isSame(one: UploadMarker, other: UploadMarker): boolean {
  return one.KeyMarker === other.KeyMarker && one.UploadIdMarker === other.UploadIdMarker;
}

async function uploadPage(
  place: Place,
  prefix: Key,
  marker: UploadMarker,
): Promise<ListMultipartUploadsCommandOutput> {
  const input = { Bucket: place.bucket, Prefix: prefix, ...marker };
  try {
    return await place.attempt((client) =>
      client.send(new place.sdk.ListMultipartUploadsCommand(input)),
    );
  } catch (error) {
    throw s3Failure(error, "list the unfinished uploads of the bucket");
  }
}

function markerBehind(page: ListMultipartUploadsCommandOutput): UploadMarker | undefined {
  const { IsTruncated, NextKeyMarker: key, NextUploadIdMarker: upload } = page;
  if (IsTruncated !== true || !key) return undefined;
  return upload ? { KeyMarker: key, UploadIdMarker: upload } : { KeyMarker: key };
}

/** Aborts an upload; one that is gone is success. */
export async function abortUpload(place: Place, { key, uploadId }: ListedUpload): Promise<void> {
  const input = { Bucket: place.bucket, Key: key, UploadId: uploadId };
  try {
    await place.attempt((client) => client.send(new place.sdk.AbortMultipartUploadCommand(input)));
  } catch (error) {
    if (isAbsent(error) || nameOf(error) === "NoSuchUpload") return;
    throw s3Failure(error, "abort an unfinished upload");
  }
}

/**
 * Aborts the upload that a record speaks of, and forgets the record. One that was begun but not
 * recorded is told by that nobody else has such a record for the same object; where somebody has,
 * the upload is left to whoever of them goes last.
 */
export async function discardRecord(place: Place, record: UploadRecord): Promise<void> {
  const { id, address, uploadId } = record;
  const key = place.layout.object(address);
  if (uploadId === undefined) await abortUnrecorded(place, record, key);
  else await abortUpload(place, { key, uploadId });
  await removeRecord(place, address, id);
}

async function abortUnrecorded(place: Place, { id, address }: UploadRecord, key: Key) {
  // The uploads first: whoever began one of them had put its record before.
  const uploads = await Array.fromAsync(listUploads(place, key));
  const candidates = new Set(uploads.filter((upload) => upload.key === key));
  if (candidates.size === 0) return;
  for await (const other of listRecords(place, address)) {
    if (other.id !== id && other.uploadId === undefined) return;
    for (const upload of candidates) {
      if (upload.uploadId === other.uploadId) candidates.delete(upload);
    }
  }
  for (const upload of candidates) await abortUpload(place, upload);
}
