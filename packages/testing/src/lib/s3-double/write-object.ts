import { release, wholeOf } from "./blobs.ts";
import { bucketOf, receiveBlob, type S3Answer, type S3Call } from "./call.ts";
import { checksumHeader, etagOf, type StoredChecksum } from "./checksums.ts";
import { conditionally } from "./conditions.ts";
import { encryptionHeaders, readAttributes } from "./object-headers.ts";

/** PutObject. */
export async function putObject(call: S3Call): Promise<S3Answer> {
  const bucket = bucketOf(call);
  const { request, service } = call;
  const attributes = readAttributes(request);
  return conditionally(bucket, request, async (recheck) => {
    const { blob, checked } = await receiveBlob(call, "CRC64NVME");
    const segments = [wholeOf(blob)];
    try {
      recheck();
    } catch (error) {
      release(segments);
      throw error;
    }
    const checksum: StoredChecksum | undefined =
      checked.checksum === undefined ? undefined : { ...checked.checksum, type: "FULL_OBJECT" };
    const etag = etagOf(attributes.encryption.algorithm, checked.md5);
    const { size } = checked;
    bucket.put({
      ...attributes,
      key: request.key,
      size,
      etag,
      lastModified: service.now(),
      segments,
      ...(checksum === undefined ? {} : { checksum }),
    });
    return {
      status: 200,
      headers: {
        etag: `"${etag}"`,
        ...encryptionHeaders(attributes.encryption),
        ...checksumHeaders(checksum),
      },
    };
  });
}

/** The headers that say an object's checksum. */
export function checksumHeaders(checksum: StoredChecksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [checksumHeader(checksum.algorithm)]: checksum.value,
    "x-amz-checksum-type": checksum.type,
  };
}
