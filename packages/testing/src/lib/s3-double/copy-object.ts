import { createHash } from "node:crypto";
import { readSegments, release, retain, type Segment, sliceSegments } from "./blobs.ts";
import type { Bucket, ObjectAttributes, StoredObject } from "./bucket.ts";
import { bucketOf, receiveText, type S3Answer, type S3Call } from "./call.ts";
import {
  type ChecksumAlgorithm,
  checksumElement,
  createHasher,
  etagOf,
  parseAlgorithm,
  type StoredChecksum,
} from "./checksums.ts";
import { checkReadConditions, conditionally } from "./conditions.ts";
import { invalidArgument, S3Error } from "./errors.ts";
import { archiveClasses, encryptionHeaders, readAttributes } from "./object-headers.ts";
import { header, type S3Request } from "./request.ts";
import { restoreState } from "./restores.ts";
import { partNumberOf, storePart, uploadOf } from "./uploads.ts";
import { uriDecode } from "./uri.ts";
import { element, xmlDocument } from "./xml.ts";

/** CopyObject. */
export async function copyObject(call: S3Call): Promise<S3Answer> {
  const bucket = bucketOf(call);
  const { request, service } = call;
  await receiveText(call);
  const source = sourceOf(call);
  requireCopySize(source.size, service.limits.copyBytes);
  const attributes = copiedAttributes(request, source);
  if (isSameObject(call, source) && sameAttributes(request, attributes, source)) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "This copy request is illegal because it is trying to copy an object to itself without " +
        "changing the object's metadata, storage class, website redirect location or encryption " +
        "attributes.",
    );
  }
  const algorithm = wantedAlgorithm(request, source);
  return conditionally(bucket, request, async (recheck) => {
    const hashed = await whileRetained(source.segments, async () => {
      return knownHashes(source, algorithm) ?? (await hashSegments(source.segments, algorithm));
    });
    try {
      recheck();
    } catch (error) {
      release(source.segments);
      throw error;
    }
    const checksum: StoredChecksum = { algorithm, type: "FULL_OBJECT", value: hashed.checksum };
    const object: StoredObject = {
      ...attributes,
      key: request.key,
      size: source.size,
      etag: etagOf(attributes.encryption.algorithm, hashed.md5),
      lastModified: service.now(),
      segments: source.segments,
      checksum,
    };
    bucket.put(object);
    return {
      status: 200,
      headers: encryptionHeaders(attributes.encryption),
      body: xmlDocument("CopyObjectResult", [
        ...copyResult(object.etag, object.lastModified),
        element(checksumElement(algorithm), checksum.value),
        element("ChecksumType", checksum.type),
      ]),
    };
  });
}

/** UploadPartCopy. */
export async function uploadPartCopy(call: S3Call): Promise<S3Answer> {
  const bucket = bucketOf(call);
  const { request, service } = call;
  const number = partNumberOf(request);
  const upload = uploadOf(call, bucket);
  await receiveText(call);
  const source = sourceOf(call);
  const segments = copiedRange(request, source);
  const size = segments.reduce((sum, segment) => sum + segment.length, 0);
  requireCopySize(size, service.limits.copyBytes);
  const algorithm = upload.checksum?.algorithm ?? "CRC64NVME";
  const hashed = await whileRetained(segments, () => hashSegments(segments, algorithm));
  const etag = etagOf(upload.attributes.encryption.algorithm, hashed.md5);
  const lastModified = service.now();
  storePart(bucket, upload, {
    number,
    size,
    etag,
    lastModified,
    segments,
    checksum: { algorithm, value: hashed.checksum },
  });
  const children = copyResult(etag, lastModified);
  if (upload.checksum !== undefined) {
    children.push(element(checksumElement(algorithm), hashed.checksum));
  }
  return {
    status: 200,
    headers: encryptionHeaders(upload.attributes.encryption),
    body: xmlDocument("CopyPartResult", children),
  };
}

function copyResult(etag: string, lastModified: number): string[] {
  return [
    element("LastModified", new Date(lastModified).toISOString()),
    element("ETag", `"${etag}"`),
  ];
}

function splitSource(call: S3Call): { readonly bucket: Bucket | undefined; readonly key: string } {
  const text = header(call.request, "x-amz-copy-source") ?? "";
  const path = uriDecode(text.replace(/\?versionId=null$/u, "").replace(/^\//u, ""));
  const slash = path?.indexOf("/") ?? -1;
  if (path === undefined || slash < 1 || slash === path.length - 1) {
    throw invalidArgument(
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      "x-amz-copy-source",
      text,
    );
  }
  return { bucket: call.service.buckets.get(path.slice(0, slash)), key: path.slice(slash + 1) };
}

function sourceOf(call: S3Call): StoredObject {
  const { bucket, key } = splitSource(call);
  if (bucket === undefined) throw new S3Error("NoSuchBucket");
  const source = bucket.get(key);
  if (source === undefined) throw new S3Error("NoSuchKey", { Key: key });
  const readable =
    !archiveClasses.has(source.storageClass) ||
    restoreState(source, call.service.now()) === "restored";
  if (!readable) throw new S3Error("ObjectNotInActiveTierError");
  if (checkReadConditions(call.request, source, "x-amz-copy-source-") === "not-modified") {
    throw new S3Error("PreconditionFailed", { Condition: "x-amz-copy-source-If-None-Match" });
  }
  return source;
}

function isSameObject(call: S3Call, source: StoredObject): boolean {
  const { bucket, key } = splitSource(call);
  return bucket?.name === call.request.bucket && key === call.request.key && key === source.key;
}

function copiedAttributes(request: S3Request, source: StoredObject): ObjectAttributes {
  const given = readAttributes(request);
  const directive = header(request, "x-amz-metadata-directive") ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw invalidArgument("Unknown metadata directive.", "x-amz-metadata-directive", directive);
  }
  return directive === "REPLACE" ? given : { ...given, headers: source.headers };
}

function sameAttributes(
  request: S3Request,
  attributes: ObjectAttributes,
  source: StoredObject,
): boolean {
  return (
    header(request, "x-amz-metadata-directive") !== "REPLACE" &&
    header(request, "x-amz-server-side-encryption") === undefined &&
    header(request, "x-amz-website-redirect-location") === undefined &&
    attributes.storageClass === source.storageClass
  );
}

function requireCopySize(size: number, limit: number): void {
  if (size <= limit) return;
  throw new S3Error(
    "InvalidRequest",
    {},
    "The specified copy source is larger than the maximum allowable size for a copy source: " +
      String(limit),
  );
}

function wantedAlgorithm(request: S3Request, source: StoredObject): ChecksumAlgorithm {
  const named = header(request, "x-amz-checksum-algorithm");
  if (named === undefined) return source.checksum?.algorithm ?? "CRC64NVME";
  const algorithm = parseAlgorithm(named);
  if (algorithm !== undefined) return algorithm;
  throw new S3Error("InvalidRequest", {}, "Checksum algorithm provided is unsupported.");
}

interface Hashes {
  readonly md5: string;
  readonly checksum: string;
}

function knownHashes(source: StoredObject, algorithm: ChecksumAlgorithm): Hashes | undefined {
  const { checksum, etag, parts } = source;
  if (parts !== undefined || source.encryption.algorithm !== "AES256") return undefined;
  if (checksum?.algorithm !== algorithm) return undefined;
  return { md5: etag, checksum: checksum.value };
}

async function hashSegments(
  segments: readonly Segment[],
  algorithm: ChecksumAlgorithm,
): Promise<Hashes> {
  const md5 = createHash("md5");
  const hasher = createHasher(algorithm);
  for await (const bytes of readSegments(segments)) {
    md5.update(bytes);
    hasher.update(bytes);
  }
  return { md5: md5.digest("hex"), checksum: hasher.digest().toString("base64") };
}

/** Keeps the segments for what is made of them; they are given back where the work throws. */
async function whileRetained<T>(segments: readonly Segment[], work: () => Promise<T>): Promise<T> {
  retain(segments);
  try {
    return await work();
  } catch (error) {
    release(segments);
    throw error;
  }
}

function copiedRange(request: S3Request, source: StoredObject): Segment[] {
  const text = header(request, "x-amz-copy-source-range");
  if (text === undefined) return sliceSegments(source.segments, 0, source.size);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/u.exec(text) ?? [];
  const start = Number(first);
  const end = Number(last);
  if (first === undefined || last === undefined || end < start) {
    throw invalidArgument(
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and " +
        "last are the zero-based offsets of the first and last bytes to copy",
      "x-amz-copy-source-range",
      text,
    );
  }
  if (end >= source.size) {
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${source.size}`,
      "x-amz-copy-source-range",
      text,
    );
  }
  return sliceSegments(source.segments, start, end - start + 1);
}
