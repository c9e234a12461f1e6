import type { ContentAddress } from "@store/identity";
import type { ObjectRetrieval, ObjectStat } from "@store/storage";
import { nameOf, s3Failure, statusOf, withoutLength } from "./requests/failure.ts";
import type { Key } from "./layout.ts";
import type { Place } from "./place.ts";

const archiveClasses: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** Whether objects of a storage class can be read only after a restore. */
export function isArchiveClass(storageClass: string | undefined): boolean {
  return archiveClasses.has(storageClass ?? "");
}

/** What HEAD says of an object. */
export interface Head {
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  /** Where it is not hot. */
  readonly retrieval: ObjectRetrieval | undefined;
  /** Whether the store itself moved it to the archive, and keeps it as long as it is asked for. */
  readonly isTiered: boolean;
}

/** Looks for an object. Throws `StoreError`s. */
export async function statObject(
  place: Place,
  address: ContentAddress,
): Promise<ObjectStat | undefined> {
  const key = place.layout.object(address);
  const head = await headOf(place, key, `look for the object ${address}`, address);
  if (head === undefined) return undefined;
  const { sizeBytes, retrieval } = head;
  return { address, sizeBytes, ...(retrieval === undefined ? {} : { retrieval }) };
}

export async function headOf(
  place: Place,
  key: Key,
  what: string,
  reference?: string,
): Promise<Head | undefined> {
  try {
    const { Bucket, Key } = { Bucket: place.bucket, Key: key };
    const head = await place.attempt((client) =>
      client.send(new place.sdk.HeadObjectCommand({ Bucket, Key })),
    );
    if (head.ContentLength === undefined) throw withoutLength();
    const isTiered = head.ArchiveStatus !== undefined;
    const isArchived = isTiered || isArchiveClass(head.StorageClass);
    return {
      sizeBytes: head.ContentLength,
      etag: head.ETag,
      retrieval: isArchived ? retrievalOf(head.Restore) : undefined,
      isTiered,
    };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw s3Failure(error, what, reference);
  }
}

/** Whether the answer was that there is no such object; a bucket that is not there is worse. */
export function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404 && nameOf(error) !== "NoSuchBucket";
}

/** What `x-amz-restore` says: `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 …"`. */
export function retrievalOf(header: string | undefined): ObjectRetrieval {
  if (header === undefined) return { tier: "archive", restore: "none" };
  if (header.includes('ongoing-request="true"')) return { tier: "archive", restore: "requested" };
  const until = Date.parse(/expiry-date="([^"]*)"/.exec(header)?.[1] ?? "");
  return {
    tier: "archive",
    restore: "restored",
    ...(Number.isNaN(until) ? {} : { restoredUntil: new Date(until).toISOString() }),
  };
}
