import { type ContentAddress, StoreError } from "@store/identity";
import type { PresignOptions } from "@store/storage";
import { s3Failure } from "./requests/failure.ts";
import type { Place } from "./place.ts";

const LONGEST_MS = 300_000;

/** A URL by which the object can be read for a while. Throws `StoreError`s. */
export async function presignObject(
  place: Place,
  address: ContentAddress,
  { expiresMs = LONGEST_MS, mediaType, disposition }: PresignOptions,
): Promise<string> {
  if (!Number.isSafeInteger(expiresMs) || expiresMs < 1 || expiresMs > LONGEST_MS) {
    throw new StoreError(
      "invalid_argument",
      `A presigned URL works for 1 to ${LONGEST_MS} ms; ${expiresMs} ms cannot be had.`,
      { context: { actual: String(expiresMs), limit: LONGEST_MS } },
    );
  }
  const command = new place.sdk.GetObjectCommand({
    Bucket: place.bucket,
    Key: place.layout.object(address),
    ...(mediaType === undefined ? {} : { ResponseContentType: mediaType }),
    ...(disposition === undefined ? {} : { ResponseContentDisposition: disposition }),
  });
  try {
    const { getSignedUrl } = await import("./requests/aws-sdk.ts");
    return await getSignedUrl(place.client, command, {
      // S3 counts whole seconds, from 1.
      expiresIn: Math.max(1, Math.floor(expiresMs / 1000)),
      signingDate: new Date(Date.now() + place.client.config.systemClockOffset),
    });
  } catch (error) {
    throw s3Failure(error, `presign the object ${address}`, address);
  }
}
