import { Bucket } from "./bucket.ts";
import { bucketOf, receiveText, type S3Answer, type S3Call } from "./call.ts";
import { S3Error } from "./errors.ts";
import { element, group, xmlDocument } from "./xml.ts";

/** The names that S3 allows (AWS, "General purpose bucket naming rules"). */
const bucketName = /^(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/u;

/** CreateBucket. */
export async function createBucket(call: S3Call): Promise<S3Answer> {
  const { request, service } = call;
  await receiveText(call);
  if (!bucketName.test(request.bucket)) {
    throw new S3Error("InvalidBucketName", { BucketName: request.bucket });
  }
  if (service.buckets.has(request.bucket)) {
    throw new S3Error("BucketAlreadyOwnedByYou", { BucketName: request.bucket });
  }
  service.buckets.set(request.bucket, new Bucket(request.bucket, service.now()));
  return { status: 200, headers: { location: `/${request.bucket}` } };
}

/** DeleteBucket. */
export function deleteBucket(call: S3Call): S3Answer {
  const bucket = bucketOf(call);
  if (bucket.size > 0) throw new S3Error("BucketNotEmpty", { BucketName: bucket.name });
  for (const upload of bucket.uploads.values()) bucket.endUpload(upload);
  call.service.buckets.delete(bucket.name);
  return { status: 204 };
}

/** HeadBucket. */
export function headBucket(call: S3Call): S3Answer {
  bucketOf(call);
  return { status: 200, headers: { "x-amz-bucket-region": call.service.region } };
}

/** GetBucketLocation. */
export function getBucketLocation(call: S3Call): S3Answer {
  bucketOf(call);
  const { region } = call.service;
  // The oldest region has no name here.
  const name = region === "us-east-1" ? "" : region;
  return { status: 200, body: xmlDocument("LocationConstraint", [name]) };
}

/** ListBuckets. */
export function listBuckets({ service }: S3Call): S3Answer {
  const buckets = [...service.buckets.values()].map(({ name, created }) => {
    const time = element("CreationDate", new Date(created).toISOString());
    return group("Bucket", [element("Name", name), time]);
  });
  return {
    status: 200,
    body: xmlDocument("ListAllMyBucketsResult", [owner(), group("Buckets", buckets)]),
  };
}

/** The one owner of everything. */
export function owner(): string {
  return group("Owner", [element("ID", "store-s3-double"), element("DisplayName", "store")]);
}
