import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { answersWith, bytesOf, type CaseContext, refused, type S3Case } from "./case.ts";

async function put(at: CaseContext, name: string, body: Buffer | string): Promise<string> {
  const { bucket: Bucket, client } = at;
  await client.send(new PutObjectCommand({ Bucket, Key: at.key(name), Body: body }));
  return at.key(name);
}

export const objectCases: readonly S3Case[] = [
  {
    name: "gives an object back as it was written, with what was said of it",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = at.key("a/b c+d&ü€😀.bin");
      const body = bytesOf(100_000);
      await client.send(
        new PutObjectCommand({
          Bucket,
          Key,
          Body: body,
          ContentType: "text/x-test",
          CacheControl: "max-age=5",
          ContentDisposition: 'attachment; filename="x"',
          Metadata: { colour: "blue" },
        }),
      );
      const got = await client.send(new GetObjectCommand({ Bucket, Key }));
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(body);
      expect(got).toMatchObject({
        ContentType: "text/x-test",
        CacheControl: "max-age=5",
        ContentDisposition: 'attachment; filename="x"',
        Metadata: { colour: "blue" },
        ContentLength: body.length,
      });
      const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
      expect(head).toMatchObject({ ETag: got.ETag, ContentLength: body.length });
    },
  },
  {
    name: "keeps an empty object",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = await put(at, "empty", "");
      const got = await client.send(new GetObjectCommand({ Bucket, Key }));
      expect(await got.Body?.transformToString()).toBe("");
      expect(got.ETag).toBe('"d41d8cd98f00b204e9800998ecf8427e"');
    },
  },
  {
    name: "answers for a key that is not there with 404",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = at.key("absent");
      await refused(client.send(new GetObjectCommand({ Bucket, Key })), "NoSuchKey", 404);
      await refused(client.send(new HeadObjectCommand({ Bucket, Key })), "NotFound", 404);
    },
  },
  {
    name: "answers for a bucket that is not there with 404",
    async run(at) {
      const { client } = at;
      const Bucket = "store-no-such-bucket";
      await refused(
        client.send(new PutObjectCommand({ Bucket, Key: "x", Body: "x" })),
        "NoSuchBucket",
        404,
      );
    },
  },
  {
    name: "gives ranges: the first bytes, the last, and one cut at the end",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = await put(at, "ranges", "0123456789");
      const read = async (Range: string): Promise<unknown> => {
        const got = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
        return [
          got.$metadata.httpStatusCode,
          await got.Body?.transformToString(),
          got.ContentRange,
        ];
      };
      expect(await read("bytes=0-3")).toEqual([206, "0123", "bytes 0-3/10"]);
      expect(await read("bytes=-3")).toEqual([206, "789", "bytes 7-9/10"]);
      expect(await read("bytes=7-")).toEqual([206, "789", "bytes 7-9/10"]);
      expect(await read("bytes=8-99")).toEqual([206, "89", "bytes 8-9/10"]);
    },
  },
  {
    name: "refuses a range with no byte in it with 416",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = await put(at, "short", "0123");
      const wanted = client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=4-9" }));
      await refused(wanted, "InvalidRange", 416);
      const empty = await put(at, "empty", "");
      const none = client.send(new GetObjectCommand({ Bucket, Key: empty, Range: "bytes=0-0" }));
      await refused(none, "InvalidRange", 416);
    },
  },
  {
    name: "says in the document of a 416 what was asked for and how large the object is",
    async run(at) {
      await put(at, "short", "0123");
      const answer = await at.raw("short", { method: "GET", headers: { range: "bytes=4-9" } });
      answersWith(answer, "InvalidRange", 416);
      expect(answer.text).toContain("<ActualObjectSize>4</ActualObjectSize>");
      expect(answer.text).toContain("<RangeRequested>bytes=4-9</RangeRequested>");
    },
  },
  {
    name: "ignores a range that it cannot read",
    async run(at) {
      await put(at, "short", "0123");
      const answer = await at.raw("short", { method: "GET", headers: { range: "bites=1-2" } });
      expect([answer.status, answer.text]).toEqual([200, "0123"]);
    },
  },
  {
    name: "answers 304 to a client that has the object, and 412 to one that wants another",
    async run(at) {
      await put(at, "x", "x");
      const { headers } = await at.raw("x", { method: "GET" });
      const etag = headers.etag ?? "";
      const same = await at.raw("x", { method: "GET", headers: { "if-none-match": etag } });
      expect([same.status, same.text]).toEqual([304, ""]);
      const other = await at.raw("x", { method: "GET", headers: { "if-match": '"other"' } });
      answersWith(other, "PreconditionFailed", 412);
    },
  },
  {
    name: "deletes an object, and says the same of one that is not there",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = await put(at, "x", "x");
      const first = await client.send(new DeleteObjectCommand({ Bucket, Key }));
      const second = await client.send(new DeleteObjectCommand({ Bucket, Key }));
      expect([first, second].map((answer) => answer.$metadata.httpStatusCode)).toEqual([204, 204]);
      await refused(client.send(new HeadObjectCommand({ Bucket, Key })), "NotFound", 404);
    },
  },
  {
    name: "deletes many objects in one request",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const keys = [await put(at, "a & b", "1"), await put(at, "<c>", "2"), at.key("absent")];
      const Delete = { Objects: keys.map((Key) => ({ Key })) };
      const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
      expect(answer.Deleted?.map(({ Key }) => Key).sort()).toEqual([...keys].sort());
      await refused(client.send(new HeadObjectCommand({ Bucket, Key: keys[0] })), "NotFound", 404);
    },
  },
  {
    name: "puts another object in the place of one",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = await put(at, "x", "first");
      await put(at, "x", "second");
      const got = await client.send(new GetObjectCommand({ Bucket, Key }));
      expect(await got.Body?.transformToString()).toBe("second");
    },
  },
  {
    name: "refuses a key of more than 1,024 bytes",
    async run(at) {
      const answer = await at.raw("k".repeat(1025), { method: "PUT", body: "x" });
      answersWith(answer, "KeyTooLongError", 400);
    },
  },
  {
    name: "refuses more than 2 KiB of metadata",
    async run(at) {
      const headers = { "x-amz-meta-large": "m".repeat(2049) };
      const answer = await at.raw("x", { method: "PUT", body: "x", headers });
      answersWith(answer, "MetadataTooLarge", 400);
    },
  },
  {
    name: "refuses a storage class that there is not",
    async run(at) {
      const headers = { "x-amz-storage-class": "LUKEWARM" };
      const answer = await at.raw("x", { method: "PUT", body: "x", headers });
      answersWith(answer, "InvalidStorageClass", 400);
    },
  },
  {
    name: "refuses a body above 5 GiB before it comes",
    async run(at) {
      const headers = { "content-length": String(5 * 1024 ** 3 + 1), expect: "100-continue" };
      const request = { method: "PUT", payloadHash: "UNSIGNED-PAYLOAD", unsigned: headers };
      answersWith(await at.raw("x", request), "EntityTooLarge", 400);
    },
  },
  {
    name: "refuses a PUT that does not say how long it is",
    async run(at) {
      const request = { method: "PUT", body: "x", withoutLength: true };
      answersWith(await at.raw("x", request), "MissingContentLength", 411);
    },
  },
  {
    name: "encrypts with its own key where that is asked for, and says so",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = at.key("x");
      const ServerSideEncryption = "AES256";
      await client.send(new PutObjectCommand({ Bucket, Key, Body: "x", ServerSideEncryption }));
      const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
      expect(head.ServerSideEncryption).toBe("AES256");
    },
  },
  {
    name: "refuses an encryption that there is not",
    async run(at) {
      const headers = { "x-amz-server-side-encryption": "rot13" };
      const answer = await at.raw("x", { method: "PUT", body: "x", headers });
      answersWith(answer, "InvalidEncryptionAlgorithmError", 400);
    },
  },
  {
    name: "refuses a customer's key on a connection without TLS",
    async run(at) {
      const headers = { "x-amz-server-side-encryption-customer-algorithm": "AES256" };
      const answer = await at.raw("x", { method: "PUT", body: "x", headers });
      answersWith(answer, "InvalidArgument", 400);
    },
  },
];
