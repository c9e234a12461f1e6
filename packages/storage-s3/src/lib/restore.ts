import { type ContentAddress, StoreError } from "@store/identity";
import type { ObjectRetrieval, RestoreOptions, RestoreSpeed } from "@store/storage";
import { nameOf, objectNotFound, s3Failure } from "./requests/failure.ts";
import type { Place } from "./place.ts";
import { type Head, headOf } from "./stat.ts";

const hot: ObjectRetrieval = { tier: "hot", restore: "none" };
const tierOf: Readonly<Record<RestoreSpeed, "Expedited" | "Standard" | "Bulk">> = {
  expedited: "Expedited",
  standard: "Standard",
  bulk: "Bulk",
};
const MOST_DAYS = 365;

/** Asks the archive for an object. Throws `StoreError`s. */
export async function restoreObject(
  place: Place,
  address: ContentAddress,
  options: RestoreOptions,
): Promise<ObjectRetrieval> {
  assertOptions(options);
  const before = await lookFor(place, address);
  if (before.retrieval === undefined) return hot;
  await request(place, address, options, before);
  return (await lookFor(place, address)).retrieval ?? hot;
}

async function request(
  place: Place,
  address: ContentAddress,
  { days, speed = "standard" }: RestoreOptions,
  { isTiered }: Head,
): Promise<void> {
  try {
    await place.attempt((client) =>
      client.send(
        new place.sdk.RestoreObjectCommand({
          Bucket: place.bucket,
          Key: place.layout.object(address),
          RestoreRequest: {
            // What the store moved to the archive by itself it keeps outside as long as it is read.
            ...(isTiered ? {} : { Days: days }),
            GlacierJobParameters: { Tier: tierOf[speed] },
          },
        }),
      ),
    );
  } catch (error) {
    if (nameOf(error) === "RestoreAlreadyInProgress") return;
    throw s3Failure(error, `restore the object ${address}`, address);
  }
}

async function lookFor(place: Place, address: ContentAddress): Promise<Head> {
  const key = place.layout.object(address);
  const head = await headOf(place, key, `look for the object ${address}`, address);
  if (head === undefined) throw objectNotFound(address);
  return head;
}

function assertOptions({ days, speed = "standard" }: RestoreOptions): void {
  if (!Number.isSafeInteger(days) || days < 1 || days > MOST_DAYS) {
    throw new StoreError(
      "invalid_argument",
      `An object is restored for 1 to ${MOST_DAYS} whole days, not ${days}.`,
      { context: { actual: String(days), limit: MOST_DAYS } },
    );
  }
  if (!Object.hasOwn(tierOf, speed)) {
    throw new StoreError("invalid_argument", "A restore is expedited, standard or bulk.", {
      context: { actual: speed },
    });
  }
}
