import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { hash } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startS3Double, type S3Double } from "../src/s3-double.ts";
import { bytesOf, mebibyte, refused } from "./s3-cases/case.ts";

let double: S3Double;
let client: S3Client;

beforeAll(async () => {
  double = await startS3Double();
  client = clientOf(double);
});

beforeEach(async () => {
  await double.clearFaults();
  await double.forgetRequests();
});

afterAll(async () => {
  client.destroy();
  await double.close();
});

function clientOf({ endpoint, region, credentials }: S3Double, maxAttempts = 1): S3Client {
  const requestChecksumCalculation = "WHEN_REQUIRED";
  return new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts,
    requestChecksumCalculation,
  });
}

/** A Complete that has all it needs. */
async function readyToComplete(at: S3Double, Key: string): Promise<CompleteMultipartUploadCommand> {
  const where = { Bucket: at.bucket, Key };
  const own = clientOf(at);
  const { UploadId } = await own.send(new CreateMultipartUploadCommand(where));
  const part = { ...where, UploadId, PartNumber: 1, Body: "part" };
  const { ETag } = await own.send(new UploadPartCommand(part));
  own.destroy();
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  return new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload });
}

function put(Key: string, Body: Buffer | string, using = client): Promise<unknown> {
  return using.send(new PutObjectCommand({ Bucket: double.bucket, Key, Body }));
}

async function get(Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: double.bucket, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function has(Key: string): Promise<boolean> {
  return (await double.objects()).some((object) => object.key === Key);
}

describe("faults of the S3 double", () => {
  it.each([
    ["InternalError", 500],
    ["ServiceUnavailable", 503],
    ["SlowDown", 503],
  ] as const)("answers %s in place of an operation", async (code, status) => {
    await double.addFault({ operation: "PutObject", effect: "answer", code });
    await refused(put(code, "x"), code, status);
    expect(await has(code)).toBe(false);
    await put(code, "x");
    expect(await has(code)).toBe(true);
  });

  it("strikes as often as it is told, after those that it lets pass, and only what it names", async () => {
    expect.hasAssertions();
    const keyPrefix = "struck/";
    await double.addFault({
      operation: ["PutObject", "GetObject"],
      keyPrefix,
      skip: 1,
      times: 2,
      effect: "answer",
      code: "SlowDown",
    });
    await put("struck/a", "x");
    await put("other", "x");
    await refused(get("struck/a"), "SlowDown", 503);
    await refused(put("struck/b", "x"), "SlowDown", 503);
    await put("struck/b", "x");
  });

  it("is mended by a client that tries again", async () => {
    await double.addFault({ effect: "answer", code: "InternalError", times: 2 });
    const patient = clientOf(double, 3);
    await put("again", "x", patient);
    patient.destroy();
    const statuses = (await double.requests()).map(({ status }) => status);
    expect(statuses).toEqual([500, 500, 200]);
  });

  it("performs a PUT and loses its answer", async () => {
    await double.addFault({ operation: "PutObject", effect: "lose-answer" });
    await expect(put("lost", "x")).rejects.toThrow(/ECONNRESET|socket hang up|aborted/u);
    expect(await has("lost")).toBe(true);
  });

  it("performs a Complete and loses its answer, and knows the upload no more", async () => {
    const complete = await readyToComplete(double, "completed");
    await double.addFault({ operation: "CompleteMultipartUpload", effect: "lose-answer" });
    await expect(client.send(complete)).rejects.toThrow(/ECONNRESET|socket hang up|aborted/u);
    expect(await has("completed")).toBe(true);
    await refused(client.send(complete), "NoSuchUpload", 404);
  });

  it("answers a Complete again where it is started so", async () => {
    const lenient = await startS3Double({ completesAgain: true });
    const own = clientOf(lenient);
    const complete = await readyToComplete(lenient, "twice");
    const first = await own.send(complete);
    expect((await own.send(complete)).ETag).toBe(first.ETag);
    own.destroy();
    await lenient.close();
  });

  it("saves what nobody has declared where it is started so, and checks what somebody has", async () => {
    const quick = await startS3Double({ quick: true });
    const own = clientOf(quick);
    const input = { Bucket: quick.bucket, Key: "x", Body: "hello" };
    await own.send(new PutObjectCommand(input));
    const [object] = await quick.objects();
    expect(object?.checksum).toBeUndefined();
    expect(object?.etag).not.toBe("5d41402abc4b2a76b9719d911017c592");
    const wrong = new PutObjectCommand({ ...input, ChecksumSHA256: hash("sha256", "x", "base64") });
    await refused(own.send(wrong), "BadDigest", 400);
    await own.send(new PutObjectCommand({ ...input, ChecksumAlgorithm: "SHA256" }));
    expect((await quick.objects())[0]?.checksum?.algorithm).toBe("SHA256");
    own.destroy();
    await quick.close();
  });

  it("answers a Complete with 200 and an error in the document", async () => {
    const complete = await readyToComplete(double, "not-completed");
    await double.addFault({ effect: "error-in-body", code: "InternalError" });
    await expect(client.send(complete)).rejects.toMatchObject({ name: "InternalError" });
    expect(await has("not-completed")).toBe(false);
    expect(await double.unfinishedUploads()).toMatchObject([{ key: "not-completed", parts: 1 }]);
    await client.send(complete);
    expect(await double.counts()).toMatchObject({ unfinishedUploads: 0 });
  });

  it("resets the connection in the middle of a body that comes, and keeps nothing of it", async () => {
    await double.addFault({ effect: "reset-request", afterBytes: 3 * mebibyte });
    await expect(put("cut", bytesOf(8 * mebibyte))).rejects.toThrow(/./u);
    expect(await has("cut")).toBe(false);
  });

  it("resets the connection in the middle of a body that goes", async () => {
    const body = bytesOf(4 * mebibyte);
    await put("large", body);
    await double.addFault({ operation: "GetObject", effect: "reset-answer", afterBytes: mebibyte });
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: double.bucket, Key: "large" }),
    );
    let seen = 0;
    const reading = (async () => {
      for await (const chunk of Body as AsyncIterable<Buffer>) seen += chunk.length;
    })();
    await expect(reading).rejects.toThrow(/./u);
    // Node lets go of what has come and was not read yet.
    expect(seen).toBeLessThanOrEqual(mebibyte);
    expect((await get("large")).equals(body)).toBe(true);
  });

  it("turns over a bit on the way, which the checksum finds out", async () => {
    await put("whole", "the whole");
    await double.addFault({ operation: "GetObject", effect: "corrupt-answer", atByte: 4 });
    await expect(get("whole")).rejects.toThrow(/checksum/iu);
    expect((await get("whole")).toString()).toBe("the whole");
  });

  it("loses, cuts and corrupts objects, whose copies stay whole", async () => {
    await put("a", "0123456789");
    await double.corruptObject("a", 3);
    const { ETag } = await client.send(new HeadObjectCommand({ Bucket: double.bucket, Key: "a" }));
    expect(ETag).toBe('"781e5e245d69b566979b86e28d23f2c7"');
    await expect(get("a")).rejects.toThrow(/checksum/iu);
    await put("a", "0123456789");
    await double.truncateObject("a", 4);
    await expect(get("a")).rejects.toThrow(/checksum/iu);
    await double.loseObject("a");
    await refused(get("a"), "NoSuchKey", 404);
    await expect(double.loseObject("a")).rejects.toThrow("no object a");
  });

  it("answers 409 to a conditional write in the middle of which the key is deleted", async () => {
    expect.hasAssertions();
    const { bucket: Bucket } = double;
    const body = bytesOf(2 * mebibyte);
    async function* slowly(): AsyncGenerator<Buffer> {
      yield body.subarray(0, mebibyte);
      await client.send(new DeleteObjectCommand({ Bucket, Key: "raced" }));
      yield body.subarray(mebibyte);
    }
    const Body = Readable.from(slowly());
    const input = { Bucket, Key: "raced", Body, ContentLength: body.length, IfNoneMatch: "*" };
    // In a trailer, since the SDK cannot hash a stream before it sends it.
    const racing = client.send(new PutObjectCommand({ ...input, ChecksumAlgorithm: "CRC32" }));
    await refused(racing, "ConditionalRequestConflict", 409);
  });

  it("refuses a clock that is away, and the client sets itself by the answer", async () => {
    expect.hasAssertions();
    await double.setClockOffset(3_600_000);
    const skewed = clientOf(double);
    await refused(put("skewed", "x", skewed), "RequestTimeTooSkewed", 403);
    await put("skewed", "x", skewed);
    skewed.destroy();
    await double.setClockOffset(0);
  });

  it("refuses a session that has ended until it is renewed", async () => {
    expect.hasAssertions();
    const accessKeyId = "ASIASESSION";
    const credential = { accessKeyId, secretAccessKey: "s", sessionToken: "first" };
    await double.addCredential(credential);
    let current: typeof credential = credential;
    const session = new S3Client({
      endpoint: double.endpoint,
      region: double.region,
      credentials: () => Promise.resolve({ ...current, expiration: new Date(0) }),
      forcePathStyle: true,
      maxAttempts: 1,
    });
    await put("session", "1", session);
    await double.expireCredential(accessKeyId);
    await refused(put("session", "2", session), "ExpiredToken", 400);
    current = { ...credential, sessionToken: "second" };
    await refused(put("session", "3", session), "InvalidToken", 400);
    await double.addCredential(current);
    await put("session", "4", session);
    await double.removeCredential(accessKeyId);
    await refused(put("session", "5", session), "InvalidAccessKeyId", 403);
    session.destroy();
  });

  it("keeps what is said of encryption and class for a test to see", async () => {
    await client.send(
      new PutObjectCommand({
        Bucket: double.bucket,
        Key: "sealed",
        Body: "x",
        ServerSideEncryption: "aws:kms",
        SSEKMSKeyId: "key-1",
        StorageClass: "STANDARD_IA",
      }),
    );
    const sealed = (await double.objects()).find(({ key }) => key === "sealed");
    expect(sealed).toMatchObject({
      encryption: { algorithm: "aws:kms", keyId: "key-1" },
      storageClass: "STANDARD_IA",
    });
    // As at AWS, the tag of what KMS encrypts is no MD5.
    expect(sealed?.etag).not.toBe("9dd4e461268c8034f5c8564e155c67a6");
  });
});
