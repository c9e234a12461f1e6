import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  RestoreObjectCommand,
  S3Client,
  type StorageClass,
  type Tier,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startS3Double, type S3Double } from "../src/s3-double.ts";
import { refused } from "./s3-cases/case.ts";

let double: S3Double;
let client: S3Client;

beforeAll(async () => {
  double = await startS3Double();
  const { endpoint, region, credentials } = double;
  client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
});

afterAll(async () => {
  client.destroy();
  await double.close();
});

async function put(Key: string, StorageClass: StorageClass): Promise<void> {
  const { bucket: Bucket } = double;
  await client.send(new PutObjectCommand({ Bucket, Key, Body: "archived", StorageClass }));
}

function get(Key: string): Promise<unknown> {
  return client.send(new GetObjectCommand({ Bucket: double.bucket, Key }));
}

async function restore(Key: string, Tier: Tier = "Standard", Days = 2): Promise<unknown> {
  const RestoreRequest = { Days, GlacierJobParameters: { Tier } };
  const answer = await client.send(
    new RestoreObjectCommand({ Bucket: double.bucket, Key, RestoreRequest }),
  );
  return answer.$metadata.httpStatusCode;
}

async function head(Key: string): Promise<unknown> {
  const answer = await client.send(new HeadObjectCommand({ Bucket: double.bucket, Key }));
  return [answer.StorageClass, answer.Restore?.replace(/(?<=expiry-date=").*(?=")/u, "…")];
}

it.each(["GLACIER", "DEEP_ARCHIVE"] as const)(
  "reads an object of %s only while it is restored",
  async (storageClass) => {
    const key = `restored/${storageClass}`;
    await put(key, storageClass);
    expect(await head(key)).toEqual([storageClass, undefined]);
    await refused(get(key), "InvalidObjectState", 403);

    expect(await restore(key)).toBe(202);
    expect(await head(key)).toEqual([storageClass, 'ongoing-request="true"']);
    await refused(get(key), "InvalidObjectState", 403);
    await refused(restore(key), "RestoreAlreadyInProgress", 409);

    await double.finishRestore(key);
    const restored = 'ongoing-request="false", expiry-date="…"';
    expect(await head(key)).toEqual([storageClass, restored]);
    await get(key);
    expect(await restore(key, "Standard", 5)).toBe(200);

    await double.expireRestore(key);
    expect(await head(key)).toEqual([storageClass, undefined]);
    await refused(get(key), "InvalidObjectState", 403);
  },
);

it("ends the time of a restored copy by its own clock", async () => {
  expect.hasAssertions();
  await put("timed", "GLACIER");
  await restore("timed", "Bulk", 1);
  await double.finishRestore("timed");
  await get("timed");
  const { endpoint, region, credentials } = double;
  await double.setClockOffset(3 * 24 * 3_600_000);
  const later = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    systemClockOffset: 3 * 24 * 3_600_000,
    maxAttempts: 1,
  });
  const late = later.send(new GetObjectCommand({ Bucket: double.bucket, Key: "timed" }));
  await refused(late, "InvalidObjectState", 403);
  later.destroy();
  await double.setClockOffset(0);
});

it("reads what a lifecycle rule has archived only when it is restored", async () => {
  expect.hasAssertions();
  await put("moved", "STANDARD");
  await get("moved");
  await double.archiveObject("moved");
  await refused(get("moved"), "InvalidObjectState", 403);
});

it("reads GLACIER_IR at once, and restores no object that needs it not", async () => {
  expect.hasAssertions();
  await put("instant", "GLACIER_IR");
  await get("instant");
  await refused(restore("instant"), "InvalidObjectState", 403);
  await put("hot", "STANDARD");
  await refused(restore("hot"), "InvalidObjectState", 403);
});

it("has no expedited restore from DEEP_ARCHIVE", async () => {
  expect.hasAssertions();
  await put("deep", "DEEP_ARCHIVE");
  await refused(restore("deep", "Expedited"), "InvalidRequest", 400);
});

it("copies no archived object that is not restored", async () => {
  expect.hasAssertions();
  await put("source", "GLACIER");
  const { bucket: Bucket } = double;
  const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/source` };
  await refused(client.send(new CopyObjectCommand(copy)), "ObjectNotInActiveTierError", 403);
});
