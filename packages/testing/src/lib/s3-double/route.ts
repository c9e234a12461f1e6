import { S3Error } from "./errors.ts";
import { header, type S3Request } from "./request.ts";

/** What is asked for, as the API reference names it. */
export type S3Operation =
  | "AbortMultipartUpload"
  | "CompleteMultipartUpload"
  | "CopyObject"
  | "CreateBucket"
  | "CreateMultipartUpload"
  | "DeleteBucket"
  | "DeleteObject"
  | "DeleteObjects"
  | "GetBucketLocation"
  | "GetObject"
  | "HeadBucket"
  | "HeadObject"
  | "ListBuckets"
  | "ListMultipartUploads"
  | "ListObjectsV2"
  | "ListParts"
  | "PutObject"
  | "RestoreObject"
  | "UploadPart"
  | "UploadPartCopy";

/** Sub-resources of S3 that the double does not have. */
const absent = [
  "accelerate,acl,analytics,attributes,cors,encryption,intelligent-tiering,inventory,legal-hold",
  "lifecycle,logging,metrics,notification,object-lock,ownershipControls,policy,policyStatus",
  "publicAccessBlock,replication,requestPayment,retention,select,tagging,torrent,versioning",
  "versions,website",
]
  .join(",")
  .split(",");

/** Throws `S3Error` `NotImplemented` or `MethodNotAllowed`. */
export function routeOf(request: S3Request): S3Operation {
  const subresource = absent.find((name) => request.query.has(name));
  if (subresource !== undefined) {
    throw new S3Error("NotImplemented", {}, `The double has no sub-resource ${subresource}.`);
  }
  const found =
    request.bucket === ""
      ? serviceOperation(request)
      : request.key === ""
        ? bucketOperation(request)
        : objectOperation(request);
  if (found !== undefined) return found;
  throw new S3Error("MethodNotAllowed", { Method: request.method });
}

function serviceOperation(request: S3Request): S3Operation | undefined {
  return request.method === "GET" ? "ListBuckets" : undefined;
}

function bucketOperation(request: S3Request): S3Operation | undefined {
  const { method, query } = request;
  if (method === "HEAD") return "HeadBucket";
  if (method === "PUT") return "CreateBucket";
  if (method === "DELETE") return "DeleteBucket";
  if (method === "POST") return query.has("delete") ? "DeleteObjects" : undefined;
  if (method !== "GET") return undefined;
  if (query.has("uploads")) return "ListMultipartUploads";
  if (query.has("location")) return "GetBucketLocation";
  if (query.get("list-type") === "2") return "ListObjectsV2";
  throw new S3Error("NotImplemented", {}, "The double lists with version 2 only.");
}

function objectOperation(request: S3Request): S3Operation | undefined {
  const { method, query } = request;
  const upload = query.has("uploadId");
  switch (method) {
    case "GET":
      return upload ? "ListParts" : "GetObject";
    case "HEAD":
      return "HeadObject";
    case "PUT": {
      const copies = header(request, "x-amz-copy-source") !== undefined;
      if (upload || query.has("partNumber")) return copies ? "UploadPartCopy" : "UploadPart";
      return copies ? "CopyObject" : "PutObject";
    }
    case "DELETE":
      return upload ? "AbortMultipartUpload" : "DeleteObject";
    case "POST":
      if (query.has("uploads")) return "CreateMultipartUpload";
      if (upload) return "CompleteMultipartUpload";
      return query.has("restore") ? "RestoreObject" : undefined;
    default:
      return undefined;
  }
}
