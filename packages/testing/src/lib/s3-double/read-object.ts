import { retain, sliceSegments } from "./blobs.ts";
import type { StoredObject } from "./bucket.ts";
import { bucketOf, type S3Answer, type S3Call } from "./call.ts";
import { checkReadConditions } from "./conditions.ts";
import { invalidArgument, S3Error } from "./errors.ts";
import { archiveClasses, encryptionHeaders, refuseCustomerKeys } from "./object-headers.ts";
import { type ByteRange, parseRange } from "./ranges.ts";
import { header, type S3Request } from "./request.ts";
import { restoreHeader, restoreState } from "./restores.ts";
import { checksumHeaders } from "./write-object.ts";

/** GetObject and HeadObject. */
export function readObject(call: S3Call): S3Answer {
  const { request, service } = call;
  refuseHeadersOfWrites(request);
  const object = bucketOf(call).get(request.key);
  if (object === undefined) throw new S3Error("NoSuchKey", { Key: request.key });
  const common = objectHeaders(call, object);
  if (checkReadConditions(request, object) === "not-modified") {
    return { status: 304, headers: { etag: `"${object.etag}"`, ...lastModified(object) } };
  }
  const archived = archiveClasses.has(object.storageClass);
  const readable = !archived || restoreState(object, service.now()) === "restored";
  if (request.method === "GET" && !readable) {
    throw new S3Error("InvalidObjectState", { StorageClass: object.storageClass });
  }
  const { range, parts } = wantedRange(request, object);
  const { start, length } = range ?? { start: 0, length: object.size };
  const headers: Record<string, string> = { ...common, "content-length": String(length) };
  if (parts !== undefined) headers["x-amz-mp-parts-count"] = String(parts);
  if (range !== undefined) {
    headers["content-range"] = `bytes ${start}-${start + length - 1}/${object.size}`;
  } else if (header(request, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED") {
    Object.assign(headers, checksumHeaders(object.checksum));
  }
  const status = range === undefined ? 200 : 206;
  if (request.method === "HEAD") return { status, headers };
  const body = sliceSegments(object.segments, start, length);
  retain(body);
  return { status, headers, body };
}

function refuseHeadersOfWrites(request: S3Request): void {
  refuseCustomerKeys(request);
  if (header(request, "x-amz-server-side-encryption") !== undefined) {
    throw invalidArgument(
      "x-amz-server-side-encryption header is not supported for this operation.",
      "x-amz-server-side-encryption",
    );
  }
  const version = request.query.get("versionId");
  if (version !== undefined && version !== "null") {
    throw invalidArgument("Invalid version id specified", "versionId", version);
  }
}

function wantedRange(
  request: S3Request,
  object: StoredObject,
): { readonly range?: ByteRange; readonly parts?: number } {
  const part = request.query.get("partNumber");
  const text = header(request, "range");
  if (part === undefined) {
    const range = parseRange(text, object.size);
    return range === undefined ? {} : { range };
  }
  if (text !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "Cannot specify both Range header and partNumber query parameter",
    );
  }
  const number = Number(part);
  const parts = object.parts ?? [{ number: 1, size: object.size }];
  const found = parts.findIndex((each) => each.number === number);
  if (found === -1) {
    throw new S3Error("InvalidPartNumber", {
      PartNumberRequested: part,
      ActualPartCount: String(parts.length),
    });
  }
  const start = parts.slice(0, found).reduce((sum, each) => sum + each.size, 0);
  const range = { start, length: parts[found]?.size ?? 0 };
  return object.parts === undefined ? { range } : { range, parts: parts.length };
}

const overrides = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];

function objectHeaders(call: S3Call, object: StoredObject): Record<string, string> {
  const { request, service } = call;
  const headers: Record<string, string> = {
    "accept-ranges": "bytes",
    etag: `"${object.etag}"`,
    ...lastModified(object),
    ...object.headers,
    ...encryptionHeaders(object.encryption),
  };
  // As AWS does, the class is not named where it is the usual one.
  if (object.storageClass !== "STANDARD") headers["x-amz-storage-class"] = object.storageClass;
  const restore = restoreHeader(object, service.now());
  if (restore !== undefined) headers["x-amz-restore"] = restore;
  for (const name of overrides) {
    const value = request.query.get(`response-${name}`);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

function lastModified(object: StoredObject): Record<string, string> {
  return { "last-modified": new Date(object.lastModified).toUTCString() };
}
