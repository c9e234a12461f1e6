import type { ContentAddress } from "@store/identity";
import { s3Failure } from "./requests/failure.ts";
import type { Key } from "./layout.ts";
import type { Place } from "./place.ts";
import { isAbsent } from "./stat.ts";

/** How many keys are deleted at a time. */
const BATCH = 16;

/** Removes an object; absent is success. Throws `StoreError`s. */
export async function removeObject(place: Place, address: ContentAddress): Promise<void> {
  const key = place.layout.object(address);
  await removeKey(place, key, `remove the object ${address}`, address);
}

export async function removeKey(
  place: Place,
  key: Key,
  what: string,
  reference?: string,
): Promise<void> {
  try {
    await place.attempt((client) =>
      client.send(new place.sdk.DeleteObjectCommand({ Bucket: place.bucket, Key: key })),
    );
  } catch (error) {
    if (isAbsent(error)) return;
    throw s3Failure(error, what, reference);
  }
}

/** Removes keys in their order, some at a time; one by one, since not every store takes a list. */
export async function removeKeys(place: Place, keys: readonly Key[], what: string): Promise<void> {
  for (let start = 0; start < keys.length; start += BATCH) {
    const batch = keys.slice(start, start + BATCH);
    await Promise.all(batch.map((key) => removeKey(place, key, what)));
  }
}
