import { type ContentAddress, StoreError } from "@store/identity";
import { nameOf, s3Failure, statusOf } from "../requests/failure.ts";
import type { PartBytes } from "../bytes/held-bytes.ts";
import type { Place } from "../place.ts";
import { putBytes } from "../requests/put-bytes.ts";
import { headOf } from "../stat.ts";

/**
 * Puts an object that is held in memory to its key, unless it is there. Resolves with whether it
 * was. Throws `StoreError`s.
 */
export async function putObject(
  place: Place,
  address: ContentAddress,
  bytes: PartBytes,
  storageClass: string | undefined,
): Promise<boolean> {
  const { conditionalWrites: ifAbsent } = place.settings;
  const key = place.layout.object(address);
  try {
    if (!ifAbsent && (await stands(place, address, bytes.sizeBytes))) return true;
    await putBytes(place, key, bytes, { ifAbsent, storageClass });
    return false;
  } catch (error) {
    // The conflict is with somebody who puts or removes the same object at this moment.
    const isTaken = statusOf(error) === 412 || nameOf(error) === "ConditionalRequestConflict";
    if (isTaken && (await stands(place, address, bytes.sizeBytes))) return true;
    throw s3Failure(error, `put the object ${address}`, address);
  }
}

async function stands(place: Place, address: ContentAddress, sizeBytes: number): Promise<boolean> {
  const existing = await existingBytes(place, address);
  if (existing !== undefined) assertSameSize(address, existing, sizeBytes);
  return existing !== undefined;
}

/** The size of the object that stands under the address. */
export async function existingBytes(
  place: Place,
  address: ContentAddress,
): Promise<number | undefined> {
  const key = place.layout.object(address);
  return (await headOf(place, key, `look for the object ${address}`, address))?.sizeBytes;
}

export function assertSameSize(
  address: ContentAddress,
  existingBytes: number,
  stagedBytes: number,
): void {
  if (existingBytes === stagedBytes) return;
  throw new StoreError(
    "size_mismatch",
    `The object ${address} stands in the bucket with ${existingBytes} bytes; ${stagedBytes} were ` +
      "staged for it. One of them is not what its address says: verify the object, remove it if " +
      "it is corrupt, and write it again.",
    { context: { reference: address, expected: existingBytes, actual: stagedBytes } },
  );
}
