import type { _Object, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { s3Failure } from "./failure.ts";
import type { Key } from "./layout.ts";
import type { Place } from "./place.ts";

/** An object of the bucket, as a listing shows it. */
export interface ListedKey {
  readonly key: Key;
  readonly sizeBytes: number;
}

/**
 * The keys that begin with `prefix`, above `after`, in bytewise order. A page is asked for while
 * the one before is gone through. Throws `StoreError`s.
 */
export async function* listKeys(
  place: Place,
  prefix: Key,
  after?: Key,
): AsyncGenerator<ListedKey, void, undefined> {
  let asked = listPage(place, prefix, { after });
  for (;;) {
    const page = await asked;
    const { NextContinuationToken: next } = page;
    const isLast = page.IsTruncated !== true || next === undefined;
    if (!isLast) {
      asked = listPage(place, prefix, { next });
      // The caller may leave without asking for that page.
      asked.catch(() => {});
    }
    for (const object of page.Contents ?? []) yield listed(object);
    if (isLast) return;
  }
}

async function listPage(
  place: Place,
  prefix: Key,
  { after, next }: { readonly after?: Key | undefined; readonly next?: string },
): Promise<ListObjectsV2CommandOutput> {
  try {
    return await place.attempt((client) =>
      client.send(
        new place.sdk.ListObjectsV2Command({
          Bucket: place.bucket,
          Prefix: prefix,
          ...(after === undefined ? {} : { StartAfter: after }),
          ...(next === undefined ? {} : { ContinuationToken: next }),
        }),
      ),
    );
  } catch (error) {
    throw s3Failure(error, "list the bucket");
  }
}

function listed({ Key = "", Size = 0 }: _Object): ListedKey {
  return { key: Key, sizeBytes: Size };
}
