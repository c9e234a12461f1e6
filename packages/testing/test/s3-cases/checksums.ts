import {
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { hash } from "node:crypto";
import { Readable } from "node:stream";
import { expect } from "vitest";
import { answersWith, bytesOf, type CaseContext, mebibyte, refused, type S3Case } from "./case.ts";
import { frame } from "./raw-s3.ts";

/** Checksums of "hello". The SDK, which computes its own, is held against ours by other cases. */
const ofHello: Readonly<Record<ChecksumAlgorithm, string>> = {
  CRC32: "NhCmhg==",
  CRC32C: "mnG7TA==",
  CRC64NVME: "M3eFcAZSQlc=",
  SHA1: "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
  SHA256: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
} as Record<ChecksumAlgorithm, string>;

const wrongSha256 = hash("sha256", "other", "base64");

async function keepsChecksum(at: CaseContext, name: string, value: string): Promise<void> {
  const declared = { [name]: value };
  const written = await at.raw("x", { method: "PUT", body: "hello", headers: declared });
  expect([written.status, written.headers[name]]).toEqual([200, value]);
  const mode = { "x-amz-checksum-mode": "ENABLED" };
  const { headers } = await at.raw("x", { method: "HEAD", headers: mode });
  expect([headers[name], headers["x-amz-checksum-type"]]).toEqual([value, "FULL_OBJECT"]);
  const other = await at.raw("y", { method: "PUT", body: "other", headers: declared });
  answersWith(other, "BadDigest", 400);
}

export const checksumCases: readonly S3Case[] = [
  {
    name: "refuses a body that does not match Content-MD5",
    async run(at) {
      const headers = { "content-md5": hash("md5", "other", "base64") };
      answersWith(await at.raw("x", { method: "PUT", body: "hello", headers }), "BadDigest", 400);
      answersWith(await at.raw("x", { method: "GET" }), "NoSuchKey", 404);
    },
  },
  {
    name: "refuses a Content-MD5 that is none",
    async run(at) {
      const headers = { "content-md5": "bm9uZQ==" };
      answersWith(
        await at.raw("x", { method: "PUT", body: "hello", headers }),
        "InvalidDigest",
        400,
      );
    },
  },
  ...Object.entries(ofHello).map(([algorithm, value]): S3Case => {
    return {
      name: `keeps an object's ${algorithm}, and refuses one that does not match`,
      run: (at) => keepsChecksum(at, `x-amz-checksum-${algorithm.toLowerCase()}`, value),
    };
  }),
  {
    name: "refuses a checksum that is none, and two at once",
    async run(at) {
      const none = { "x-amz-checksum-sha256": "nonsense" };
      const first = await at.raw("x", { method: "PUT", body: "hello", headers: none });
      answersWith(first, "InvalidRequest", 400);
      const two = {
        "x-amz-checksum-sha256": ofHello.SHA256,
        "x-amz-checksum-crc32": ofHello.CRC32,
      };
      const second = await at.raw("x", { method: "PUT", body: "hello", headers: two });
      answersWith(second, "InvalidRequest", 400);
    },
  },
  {
    name: "takes checksums of the SDK in headers and in trailers",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const body = bytesOf(200_000);
      const given = { Bucket, ChecksumAlgorithm: "SHA256" } as const;
      await client.send(new PutObjectCommand({ ...given, Key: at.key("header"), Body: body }));
      await client.send(
        new PutObjectCommand({
          ...given,
          Key: at.key("trailer"),
          Body: Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]),
          ContentLength: body.length,
        }),
      );
      for (const name of ["header", "trailer"]) {
        const input = { Bucket, Key: at.key(name), ChecksumMode: "ENABLED" } as const;
        // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other
        const head = await client.send(new HeadObjectCommand(input));
        expect(head.ChecksumSHA256).toBe(hash("sha256", body, "base64"));
        expect(head.ContentLength).toBe(body.length);
        expect(head.ContentEncoding).toBeUndefined();
      }
    },
  },
  {
    name: "refuses a trailer that does not match, one that is missing and one that was not announced",
    async run(at) {
      const body = Buffer.from("hello");
      const sendWith = (trailer: Record<string, string>, announced = "x-amz-checksum-sha256") => {
        return at.raw("x", {
          method: "PUT",
          payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
          headers: { "x-amz-decoded-content-length": "5", "x-amz-trailer": announced },
          chunks: frame([body], { signed: false, trailer }),
        });
      };
      const right = { "x-amz-checksum-sha256": ofHello.SHA256 };
      answersWith(await sendWith({ "x-amz-checksum-sha256": wrongSha256 }), "BadDigest", 400);
      answersWith(await sendWith({}), "MalformedTrailerError", 400);
      answersWith(await sendWith(right, "x-amz-checksum-crc32"), "MalformedTrailerError", 400);
      expect((await sendWith(right)).status).toBe(200);
      expect((await at.raw("x", { method: "GET" })).text).toBe("hello");
    },
  },
  {
    name: "keeps the checksum of checksums of an object of parts",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = at.key("x");
      const body = bytesOf(12 * mebibyte);
      const params = { Bucket, Key, Body: body, ChecksumAlgorithm: "SHA256" } as const;
      await new Upload({ client, params, partSize: 5 * mebibyte }).done();
      const sums = [0, 5, 10].map((start) => {
        const part = body.subarray(start * mebibyte, (start + 5) * mebibyte);
        return hash("sha256", part, "buffer");
      });
      const input = { Bucket, Key, ChecksumMode: "ENABLED" } as const;
      const head = await client.send(new HeadObjectCommand(input));
      expect(head.ChecksumSHA256).toBe(`${hash("sha256", Buffer.concat(sums), "base64")}-3`);
      expect(head.ChecksumType).toBe("COMPOSITE");
    },
  },
  {
    name: "keeps the CRC of the whole of an object of parts",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = at.key("x");
      const kind = { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" } as const;
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket, Key, ...kind }),
      );
      const bodies = [bytesOf(5 * mebibyte), Buffer.from("tail")];
      const Parts = await Promise.all(
        bodies.map(async (Body, index) => {
          const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body };
          const { ETag } = await client.send(
            new UploadPartCommand({ ...part, ChecksumAlgorithm: "CRC32" }),
          );
          return { PartNumber: index + 1, ETag };
        }),
      );
      const complete = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
      await client.send(new CompleteMultipartUploadCommand(complete));
      // Read whole and compared by the SDK.
      const input = { Bucket, Key, ChecksumMode: "ENABLED" } as const;
      const got = await client.send(new GetObjectCommand(input));
      expect((await got.Body?.transformToByteArray())?.length).toBe(5 * mebibyte + 4);
      expect(got.ChecksumType).toBe("FULL_OBJECT");
      expect(got.ChecksumCRC32).toBeDefined();
    },
  },
  {
    name: "wants the checksums of the parts again when it completes an upload that has them",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const Key = at.key("x");
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "SHA256" }),
      );
      const part = { Bucket, Key, UploadId, PartNumber: 1, Body: "hello" };
      await refused(client.send(new UploadPartCommand(part)), "InvalidRequest", 400);
      const { ETag, ChecksumSHA256 } = await client.send(
        new UploadPartCommand({ ...part, ChecksumAlgorithm: "SHA256" }),
      );
      expect(ChecksumSHA256).toBe(ofHello.SHA256);
      const complete = (listed: object): Promise<unknown> => {
        const Parts = [{ PartNumber: 1, ETag, ...listed }];
        const input = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
        return client.send(new CompleteMultipartUploadCommand(input));
      };
      await refused(complete({}), "InvalidRequest", 400);
      await refused(complete({ ChecksumSHA256: wrongSha256 }), "InvalidPart", 400);
      await complete({ ChecksumSHA256 });
    },
  },
];
