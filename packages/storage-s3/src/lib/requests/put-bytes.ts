import type { StorageClass } from "@aws-sdk/client-s3";
import type { BodySum } from "../bytes/body-sum.ts";
import type { PartBytes } from "../bytes/held-bytes.ts";
import type { Key } from "../layout.ts";
import type { Place } from "../place.ts";

export interface PutOptions {
  /** Fails with `PreconditionFailed` where there is something under the key already. */
  readonly ifAbsent?: boolean;
  readonly storageClass?: string | undefined;
}

/** Puts bytes under a key, in one request that is repeated if need be. Throws as the SDK does. */
export async function putBytes(
  place: Place,
  key: Key,
  bytes: PartBytes,
  { ifAbsent = false, storageClass }: PutOptions = {},
): Promise<void> {
  const sum = bytes.sum(place.settings.flexibleChecksums);
  await place.attempt(async (client) => {
    const command = new place.sdk.PutObjectCommand({
      Bucket: place.bucket,
      Key: key,
      Body: bytes.body(),
      ContentLength: bytes.sizeBytes,
      ContentType: "application/octet-stream",
      ...sum.checksum,
      ...place.encryption,
      ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
      ...storageClassInput(storageClass),
    });
    command.middlewareStack.add(knownDigest(sum), knownDigestStep);
    await client.send(command);
  });
}

/** Puts a small text under a key. */
export async function putText(
  place: Place,
  key: Key,
  text: string,
  options: PutOptions = {},
): Promise<void> {
  const bytes = place.newSmall();
  await bytes.append(new TextEncoder().encode(text));
  await putBytes(place, key, bytes, options);
}

/** The SDK's name of a storage class; a store may have classes that the SDK does not know. */
export function storageClassInput(name: string | undefined): { StorageClass?: StorageClass } {
  return name === undefined ? {} : { StorageClass: name as StorageClass };
}

/** Where {@link knownDigest} stands among the middleware of a command. */
export const knownDigestStep = { step: "build", name: "knownDigest" } as const;

/** Has a request signed with a digest that is known, so that the body is not hashed again. */
export function knownDigest({ contentSha256 }: BodySum) {
  return <A extends { readonly request?: unknown }, R>(next: (args: A) => Promise<R>) =>
    (args: A): Promise<R> => {
      const { request } = args;
      if (isHttpRequest(request)) request.headers["x-amz-content-sha256"] = contentSha256;
      return next(args);
    };
}

function isHttpRequest(request: unknown): request is { readonly headers: Record<string, string> } {
  return typeof request === "object" && request !== null && "headers" in request;
}
