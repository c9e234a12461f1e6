import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { answersWith, type CaseContext, refused, type S3Case } from "./case.ts";

async function putAbsent(at: CaseContext, name: string, body: string): Promise<void> {
  const { bucket: Bucket, client } = at;
  const Key = at.key(name);
  await client.send(new PutObjectCommand({ Bucket, Key, Body: body, IfNoneMatch: "*" }));
}

async function uploadOne(
  at: CaseContext,
  name: string,
): Promise<{ UploadId: string | undefined; MultipartUpload: { Parts: object[] } }> {
  const { bucket: Bucket, client } = at;
  const Key = at.key(name);
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const part = { Bucket, Key, UploadId, PartNumber: 1, Body: "multipart" };
  const { ETag } = await client.send(new UploadPartCommand(part));
  return { UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
}

export const conditionCases: readonly S3Case[] = [
  {
    name: "writes to a free key under If-None-Match: *, and refuses a second time with 412",
    async run(at) {
      await putAbsent(at, "x", "first");
      await refused(putAbsent(at, "x", "second"), "PreconditionFailed", 412);
      expect((await at.raw("x", { method: "GET" })).text).toBe("first");
    },
  },
  {
    name: "lets one of many racing writers win under If-None-Match: *",
    async run(at) {
      const writers = Array.from({ length: 8 }, (_, number) => putAbsent(at, "x", `w${number}`));
      const settled = await Promise.allSettled(writers);
      const winners = settled.filter(({ status }) => status === "fulfilled");
      expect(winners).toHaveLength(1);
      const won = settled.findIndex(({ status }) => status === "fulfilled");
      expect((await at.raw("x", { method: "GET" })).text).toBe(`w${won}`);
    },
  },
  {
    name: "knows no other If-None-Match of a write than *",
    async run(at) {
      const headers = { "if-none-match": '"etag"' };
      const answer = await at.raw("x", { method: "PUT", body: "x", headers });
      answersWith(answer, "NotImplemented", 501);
    },
  },
  {
    name: "writes under If-Match only in the place of that object",
    async run(at) {
      await putAbsent(at, "x", "first");
      const { headers } = await at.raw("x", { method: "HEAD" });
      const etag = headers.etag ?? "";
      const right = await at.raw("x", { method: "PUT", body: "2", headers: { "if-match": etag } });
      expect(right.status).toBe(200);
      const wrong = await at.raw("x", { method: "PUT", body: "3", headers: { "if-match": etag } });
      answersWith(wrong, "PreconditionFailed", 412);
    },
  },
  {
    name: "refuses If-Match where there is no object with 404",
    async run(at) {
      const headers = { "if-match": '"etag"' };
      answersWith(await at.raw("x", { method: "PUT", body: "x", headers }), "NoSuchKey", 404);
    },
  },
  {
    name: "completes an upload to a free key under If-None-Match: *",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const upload = await uploadOne(at, "x");
      const Key = at.key("x");
      await client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, ...upload, IfNoneMatch: "*" }),
      );
      expect((await at.raw("x", { method: "GET" })).text).toBe("multipart");
    },
  },
  {
    name: "refuses to complete an upload to a taken key under If-None-Match: * with 412",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const upload = await uploadOne(at, "x");
      await putAbsent(at, "x", "first");
      const complete = { Bucket, Key: at.key("x"), ...upload, IfNoneMatch: "*" };
      const work = client.send(new CompleteMultipartUploadCommand(complete));
      await refused(work, "PreconditionFailed", 412);
      expect((await at.raw("x", { method: "GET" })).text).toBe("first");
    },
  },
];
