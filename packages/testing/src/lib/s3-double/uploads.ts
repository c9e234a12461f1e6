import { release, wholeOf } from "./blobs.ts";
import type { Bucket, Upload, UploadedPart } from "./bucket.ts";
import { bucketOf, receiveBlob, type S3Answer, type S3Call } from "./call.ts";
import {
  type ChecksumAlgorithm,
  checksumHeader,
  type ChecksumType,
  etagOf,
  parseAlgorithm,
} from "./checksums.ts";
import { invalidArgument, S3Error } from "./errors.ts";
import { encryptionHeaders, readAttributes } from "./object-headers.ts";
import { header, type S3Request } from "./request.ts";
import { element, xmlDocument } from "./xml.ts";

const mostParts = 10_000;

/** CreateMultipartUpload. */
export function createUpload(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  const { request, service } = call;
  const attributes = readAttributes(request);
  const checksum = readUploadChecksum(request);
  const { key } = request;
  const upload = bucket.beginUpload({ key, initiated: service.now(), attributes, checksum });
  const headers: Record<string, string> = encryptionHeaders(attributes.encryption);
  if (checksum !== undefined) {
    headers["x-amz-checksum-algorithm"] = checksum.algorithm;
    headers["x-amz-checksum-type"] = checksum.type;
  }
  const children = [
    element("Bucket", bucket.name),
    element("Key", key),
    element("UploadId", upload.id),
  ];
  return { status: 200, headers, body: xmlDocument("InitiateMultipartUploadResult", children) };
}

function readUploadChecksum(
  request: S3Request,
): { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined {
  const named = header(request, "x-amz-checksum-algorithm");
  const type = header(request, "x-amz-checksum-type");
  if (named === undefined) {
    if (type === undefined) return undefined;
    throw new S3Error(
      "InvalidRequest",
      {},
      "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    );
  }
  const algorithm = parseAlgorithm(named);
  if (algorithm === undefined) {
    throw new S3Error("InvalidRequest", {}, "Checksum algorithm provided is unsupported.");
  }
  const always = algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
  const wanted = type ?? always;
  const hash = algorithm === "SHA1" || algorithm === "SHA256";
  const fits = wanted === always || (wanted === "FULL_OBJECT" && !hash);
  if (fits) return { algorithm, type: wanted === "FULL_OBJECT" ? "FULL_OBJECT" : "COMPOSITE" };
  throw new S3Error(
    "InvalidRequest",
    {},
    `The ${wanted} checksum type cannot be used with the ${named.toLowerCase()} checksum algorithm.`,
  );
}

/** The upload that the query names. Throws `S3Error` `NoSuchUpload`. */
export function uploadOf(call: S3Call, bucket: Bucket): Upload {
  const id = call.request.query.get("uploadId") ?? "";
  const upload = bucket.uploads.get(id);
  if (upload !== undefined && upload.key === call.request.key) return upload;
  throw new S3Error("NoSuchUpload", { UploadId: id });
}

/** The part's number in the query. Throws `S3Error` `InvalidArgument`. */
export function partNumberOf(request: S3Request): number {
  const text = request.query.get("partNumber") ?? "";
  const number = Number(text);
  if (/^\d{1,6}$/u.test(text) && number >= 1 && number <= mostParts) return number;
  throw invalidArgument(
    `Part number must be an integer between 1 and ${mostParts}, inclusive`,
    "partNumber",
    text,
  );
}

/** UploadPart. */
export async function uploadPart(call: S3Call): Promise<S3Answer> {
  const bucket = bucketOf(call);
  const number = partNumberOf(call.request);
  const upload = uploadOf(call, bucket);
  const declared = declaredAlgorithm(call.request);
  requireAlgorithm(upload, declared);
  const fallback = upload.checksum?.algorithm ?? "CRC64NVME";
  const { blob, checked } = await receiveBlob(call, fallback);
  const etag = etagOf(upload.attributes.encryption.algorithm, checked.md5);
  storePart(bucket, upload, {
    number,
    size: checked.size,
    etag,
    lastModified: call.service.now(),
    segments: [wholeOf(blob)],
    checksum: checked.checksum,
  });
  const headers: Record<string, string> = {
    etag: `"${etag}"`,
    ...encryptionHeaders(upload.attributes.encryption),
  };
  if (declared !== undefined && checked.checksum !== undefined) {
    headers[checksumHeader(declared)] = checked.checksum.value;
  }
  return { status: 200, headers };
}

/** Keeps a part, in place of one with its number; the upload may have ended meanwhile. */
export function storePart(bucket: Bucket, upload: Upload, part: UploadedPart): void {
  if (bucket.uploads.get(upload.id) !== upload || upload.completing) {
    release(part.segments);
    throw new S3Error("NoSuchUpload", { UploadId: upload.id });
  }
  const before = upload.parts.get(part.number);
  upload.parts.set(part.number, part);
  if (before !== undefined) release(before.segments);
}

function declaredAlgorithm(request: S3Request): ChecksumAlgorithm | undefined {
  const trailer = header(request, "x-amz-trailer")?.replace(/^x-amz-checksum-/iu, "") ?? "";
  const inTrailer = parseAlgorithm(trailer);
  if (inTrailer !== undefined) return inTrailer;
  const name = Object.keys(request.headers).find((each) => {
    return parseAlgorithm(each.replace("x-amz-checksum-", "")) !== undefined;
  });
  return name === undefined ? undefined : parseAlgorithm(name.replace("x-amz-checksum-", ""));
}

function requireAlgorithm(upload: Upload, declared: ChecksumAlgorithm | undefined): void {
  const expected = upload.checksum?.algorithm;
  if (declared === expected) return;
  // The checksum of a whole object needs none of its parts from the client.
  if (declared === undefined && upload.checksum?.type === "FULL_OBJECT") return;
  const [wanted, actual] = [expected, declared].map((name) => name?.toLowerCase() ?? "null");
  throw new S3Error(
    "InvalidRequest",
    {},
    `Checksum Type mismatch occurred, expected checksum Type: ${wanted}, actual checksum Type: ${actual}`,
  );
}

/** AbortMultipartUpload. */
export function abortUpload(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  bucket.endUpload(uploadOf(call, bucket));
  return { status: 204 };
}
