import { PutObjectCommand } from "@aws-sdk/client-s3";
import { startS3Double, type S3Double } from "@store/testing/s3-double";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Bucket } from "./lib/bucket.ts";

let double: S3Double;

beforeAll(async () => {
  double = await startS3Double();
});
afterAll(async () => double.close());

function newBucket(): Bucket {
  const bucket = new Bucket(double);
  onTestFinished(async () => bucket.dispose());
  return bucket;
}

test("a new prefix gets its format file, from many processes at once", async () => {
  const bucket = newBucket();
  const backends = await Promise.all(Array.from({ length: 8 }, () => bucket.open()));
  expect(await bucket.keys()).toEqual(["format.json"]);
  await Promise.all(backends.map((backend) => backend.close()));
});

test.each(['{"format":"store-objects-s3","version":2}', '{"format":"x"}', "", "no JSON", "[]"])(
  "a prefix whose format file says %j is refused",
  async (text) => {
    const bucket = newBucket();
    const Key = `${bucket.prefix}/format.json`;
    await bucket.client.send(
      new PutObjectCommand({ Bucket: double.bucket, Key, Body: Buffer.from(text) }),
    );
    await expect(bucket.open()).rejects.toMatchObject({ code: "layout_unknown" });
    expect(await bucket.keys()).toEqual(["format.json"]);
  },
);

test("a prefix that has to be there already is not made", async () => {
  const bucket = newBucket();
  await expect(bucket.open({ create: false })).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  expect(await bucket.keys()).toEqual([]);
  await (await bucket.open()).close();
  await (await bucket.open({ create: false })).close();
});

test("options that cannot be right are refused before any request", async () => {
  const bucket = newBucket();
  const wrong = [
    { bucket: "" },
    { bucket: "a/b" },
    { prefix: "../x" },
    { prefix: "a//b" },
    { endpoint: "ftp://example.org" },
    { endpoint: "http://user:password@127.0.0.1" },
    { partBytes: 4 * 1024 ** 2 },
    { partBytes: 5 * 1024 ** 2 + 1 },
    { parallelParts: 0 },
    { attempts: 0.5 },
    { maxConnections: -1 },
    { storageClass: "a b" },
    { storageClasses: { audit: "" } },
  ];
  for (const options of wrong) {
    await expect(bucket.open(options)).rejects.toMatchObject({ code: "invalid_argument" });
  }
});
