import type { _Object, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { s3Failure } from "./failure.ts";
import type { Key } from "../layout.ts";
import type { Place } from "../place.ts";
import { listsWrongly } from "./short-answers.ts";

/** Pages without a key in a row, after which nobody believes that there will be one. */
const MOST_EMPTY_PAGES = 100;

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
  let last = after ?? "";
  for (let empty = 0; ;) {
    const page = await asked;
    const { NextContinuationToken: next } = page;
    const isLast = page.IsTruncated !== true || next === undefined;
    if (!isLast) {
      asked = listPage(place, prefix, { next });
      // The caller may leave without asking for that page.
      asked.catch(() => {});
    }
    const objects = (page.Contents ?? []).map(listed);
    empty = objects.length === 0 ? empty + 1 : 0;
    if (empty > MOST_EMPTY_PAGES) throw listsWrongly();
    for (const object of objects) {
      if (!isBehind(object.key, last)) throw listsWrongly();
      last = object.key;
      yield object;
    }
    if (isLast) return;
  }
}

/** Bytewise, which for all but foreign keys is as strings are compared. */
function isBehind(key: Key, last: Key): boolean {
  return key > last || Buffer.compare(Buffer.from(key), Buffer.from(last)) > 0;
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
