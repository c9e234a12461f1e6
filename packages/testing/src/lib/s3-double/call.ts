import { type Blob, type Blobs, release, type Segment, wholeOf } from "./blobs.ts";
import { BodyCheck, type CheckedBody } from "./body-check.ts";
import type { Bucket } from "./bucket.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";
import { S3Error } from "./errors.ts";
import { payloadChunks, type PayloadForm } from "./payload.ts";
import type { S3Request } from "./request.ts";

/** Sizes that AWS sets; a test may set smaller ones. In bytes. */
export interface S3Limits {
  /** The largest body of PutObject and UploadPart: 5 GiB. */
  readonly writeBytes: number;
  /** The largest source of CopyObject and range of UploadPartCopy: 5 GiB. */
  readonly copyBytes: number;
  /** The smallest part but the last: 5 MiB. */
  readonly partBytes: number;
}

/** What all requests share. */
export interface S3Service {
  readonly region: string;
  readonly limits: S3Limits;
  /** Whether a Complete that comes again is answered as the first was. */
  readonly completesAgain: boolean;
  /** Whether nothing is hashed that the client has not declared. */
  readonly quick: boolean;
  readonly blobs: Blobs;
  readonly buckets: Map<string, Bucket>;
  /** The server's clock, in milliseconds since 1970. */
  now(): number;
}

/** A request that may be performed. */
export interface S3Call {
  readonly service: S3Service;
  readonly request: S3Request;
  readonly payload: PayloadForm;
  /** The body as it travels; reading it says `100 Continue` to a client that waits for it. */
  readonly body: AsyncIterable<Buffer>;
}

/** What is answered. Segments are in use until they are sent. */
export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | readonly Segment[];
}

/** The bucket that the request is about. Throws `S3Error` `NoSuchBucket`. */
export function bucketOf({ service, request }: S3Call): Bucket {
  const bucket = service.buckets.get(request.bucket);
  if (bucket !== undefined) return bucket;
  throw new S3Error("NoSuchBucket", { BucketName: request.bucket });
}

/** Receives the body into a file, checked against all that was declared. Throws `S3Error`. */
export async function receiveBlob(
  call: S3Call,
  fallback?: ChecksumAlgorithm,
): Promise<{ readonly blob: Blob; readonly checked: CheckedBody }> {
  const limit = call.service.limits.writeBytes;
  if (call.payload.size > limit) {
    throw new S3Error("EntityTooLarge", {
      ProposedSize: String(call.payload.size),
      MaxSizeAllowed: String(limit),
    });
  }
  const check = new BodyCheck(call.request, call.payload, fallback, call.service.quick);
  const blob = await call.service.blobs.write(hashing(call, check));
  try {
    return { blob, checked: check.finish() };
  } catch (error) {
    release([wholeOf(blob)]);
    throw error;
  }
}

const documentLimitBytes = 8 * 1024 * 1024;

/** Receives a document, checked likewise. Throws `S3Error`. */
export async function receiveText(
  call: S3Call,
  mustBeChecked: "must-be-checked" | "may-be-unchecked" = "may-be-unchecked",
): Promise<string> {
  if (call.payload.size > documentLimitBytes) throw new S3Error("MalformedXML");
  const check = new BodyCheck(call.request, call.payload);
  if (mustBeChecked === "must-be-checked" && !check.declared) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    );
  }
  const pieces = await Array.fromAsync(hashing(call, check));
  check.finish();
  return Buffer.concat(pieces).toString("utf8");
}

async function* hashing(call: S3Call, check: BodyCheck): AsyncGenerator<Buffer> {
  for await (const bytes of payloadChunks(call.payload, call.body)) {
    check.update(bytes);
    yield bytes;
  }
}
