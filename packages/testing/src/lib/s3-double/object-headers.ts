import type { Encryption, ObjectAttributes } from "./bucket.ts";
import { invalidArgument, S3Error } from "./errors.ts";
import { header, type S3Request } from "./request.ts";

const storageClasses: ReadonlySet<string> = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
]);

/** Classes whose objects must be restored before they are read. */
export const archiveClasses: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

const keptHeaders = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
  "x-amz-website-redirect-location",
];

const metadataLimitBytes = 2048;
const defaultKmsKey = "arn:aws:kms:us-east-1:000000000000:key/aws-managed";

/** Reads what a write says of its object. Throws `S3Error`. */
export function readAttributes(request: S3Request): ObjectAttributes {
  const acl = header(request, "x-amz-acl");
  if (acl !== undefined && acl !== "private" && acl !== "bucket-owner-full-control") {
    throw new S3Error("AccessControlListNotSupported");
  }
  return {
    headers: readKeptHeaders(request),
    storageClass: readStorageClass(request),
    encryption: readEncryption(request),
  };
}

function readStorageClass(request: S3Request): string {
  const given = header(request, "x-amz-storage-class") ?? "STANDARD";
  if (storageClasses.has(given)) return given;
  throw new S3Error("InvalidStorageClass", { StorageClassRequested: given });
}

function readKeptHeaders(request: S3Request): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const name of keptHeaders) {
    const value = header(request, name);
    if (value !== undefined) kept[name] = value;
  }
  // `aws-chunked` is how the bytes travelled, and no property of the object.
  const codings = (kept["content-encoding"] ?? "").split(",").map((coding) => coding.trim());
  const lasting = codings.filter((coding) => coding !== "" && coding !== "aws-chunked");
  delete kept["content-encoding"];
  if (lasting.length > 0) kept["content-encoding"] = lasting.join(",");
  let size = 0;
  const names = [...Object.keys(request.headers), ...request.query.keys()];
  for (const name of names.filter((each) => each.startsWith("x-amz-meta-"))) {
    const value = header(request, name);
    if (value === undefined) continue;
    kept[name] = value;
    size += name.length - "x-amz-meta-".length + value.length;
  }
  if (size <= metadataLimitBytes) return kept;
  throw new S3Error("MetadataTooLarge", {
    Size: String(size),
    MaxSizeAllowed: String(metadataLimitBytes),
  });
}

const customerKey = "x-amz-server-side-encryption-customer-algorithm";

function readEncryption(request: S3Request): Encryption {
  refuseCustomerKeys(request);
  const algorithm = header(request, "x-amz-server-side-encryption") ?? "AES256";
  const keyId = header(request, "x-amz-server-side-encryption-aws-kms-key-id");
  const bucketKey = header(request, "x-amz-server-side-encryption-bucket-key-enabled");
  if (algorithm === "AES256") {
    if (keyId === undefined) return { algorithm };
    throw invalidArgument(
      "Server Side Encryption with AWS KMS managed key requires HTTP header " +
        "x-amz-server-side-encryption : aws:kms",
      "x-amz-server-side-encryption",
      algorithm,
    );
  }
  if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse") {
    throw new S3Error("InvalidEncryptionAlgorithmError", { ServerSideEncryption: algorithm });
  }
  return { algorithm, keyId: keyId ?? defaultKmsKey, bucketKey: bucketKey === "true" };
}

/** AWS refuses keys of the client's own on a connection without TLS, which the double has not. */
export function refuseCustomerKeys(request: S3Request): void {
  if (header(request, customerKey) === undefined) return;
  throw invalidArgument(
    "Requests specifying Server Side Encryption with Customer provided keys must be made over a " +
      "secure connection.",
    customerKey,
  );
}

/** The headers that say how an object is encrypted. */
export function encryptionHeaders(encryption: Encryption): Record<string, string> {
  const headers: Record<string, string> = {
    "x-amz-server-side-encryption": encryption.algorithm,
  };
  if (encryption.keyId !== undefined) {
    headers["x-amz-server-side-encryption-aws-kms-key-id"] = encryption.keyId;
  }
  if (encryption.bucketKey === true) {
    headers["x-amz-server-side-encryption-bucket-key-enabled"] = "true";
  }
  return headers;
}
