import { GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect } from "vitest";
import { answersWith, bytesOf, type CaseContext, type S3Case } from "./case.ts";
import { frame, type RawAnswer, send, sendRaw, sha256 } from "./raw-s3.ts";

const minute = 60_000;

/** Sends a presigned URL, perhaps changed. */
function follow(at: CaseContext, url: string, method = "GET"): Promise<RawAnswer> {
  const { pathname, search, host } = new URL(url);
  return send(at.place, { method, path: `${pathname}${search}` }, { host });
}

/** A chunk of the smallest size, and a last one below it. */
const chunks = [bytesOf(8192, 1), bytesOf(100, 2)];
const decoded = { "x-amz-decoded-content-length": String(8192 + 100) };

export const signatureCases: readonly S3Case[] = [
  {
    name: "takes a request that is signed by hand",
    async run(at) {
      expect((await at.raw("a b/c", { method: "PUT", body: "hand" })).status).toBe(200);
      expect((await at.raw("a b/c", { method: "GET" })).text).toBe("hand");
    },
  },
  {
    name: "refuses a request without a signature",
    async run(at) {
      const change = (headers: Record<string, string>): void => {
        delete headers["authorization"];
      };
      answersWith(await at.raw("x", { method: "PUT", body: "x", change }), "AccessDenied", 403);
    },
  },
  {
    name: "refuses a signature of another secret",
    async run(at) {
      const credentials = { ...at.place.credentials, secretAccessKey: "wrong" };
      const answer = await at.raw("x", { method: "PUT", body: "x", credentials });
      answersWith(answer, "SignatureDoesNotMatch", 403);
    },
  },
  {
    name: "refuses a header that was changed after it was signed",
    async run(at) {
      const change = (headers: Record<string, string>): void => {
        headers["x-amz-meta-colour"] = "red";
      };
      const headers = { "x-amz-meta-colour": "blue" };
      const answer = await at.raw("x", { method: "PUT", body: "x", headers, change });
      answersWith(answer, "SignatureDoesNotMatch", 403);
    },
  },
  {
    name: "refuses a query that was changed after it was signed",
    async run(at) {
      const { bucket, place } = at;
      const signed = await getSignedUrl(
        at.client,
        new GetObjectCommand({ Bucket: bucket, Key: at.key("x"), ResponseContentType: "a/b" }),
        { expiresIn: 60 },
      );
      const answer = await follow({ ...at, place }, signed.replace("a%2Fb", "a%2Fc"));
      answersWith(answer, "SignatureDoesNotMatch", 403);
    },
  },
  {
    name: "refuses headers of S3 that are not signed",
    async run(at) {
      const unsigned = { "x-amz-meta-colour": "blue" };
      const answer = await at.raw("x", { method: "PUT", body: "x", unsigned });
      answersWith(answer, "AccessDenied", 403);
    },
  },
  {
    name: "refuses a key that it does not know",
    async run(at) {
      const credentials = { accessKeyId: "AKIANOBODY", secretAccessKey: "x" };
      const answer = await at.raw("x", { method: "GET", credentials });
      answersWith(answer, "InvalidAccessKeyId", 403);
    },
  },
  {
    name: "refuses a clock that is more than a quarter of an hour away",
    async run(at) {
      for (const minutes of [-16, 16]) {
        const time = new Date(Date.now() + minutes * minute);
        // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other
        const answer = await at.raw("x", { method: "PUT", body: "x", time });
        answersWith(answer, "RequestTimeTooSkewed", 403);
      }
      const time = new Date(Date.now() - 14 * minute);
      expect((await at.raw("x", { method: "PUT", body: "x", time })).status).toBe(200);
    },
  },
  {
    name: "refuses a scope of another region",
    async run(at) {
      const answer = await at.raw("x", { method: "GET", region: "eu-west-3" });
      answersWith(answer, "AuthorizationHeaderMalformed", 400);
    },
  },
  {
    name: "refuses a request that does not say the hash of its payload",
    async run(at) {
      const change = (headers: Record<string, string>): void => {
        delete headers["x-amz-content-sha256"];
      };
      answersWith(await at.raw("x", { method: "PUT", body: "x", change }), "InvalidRequest", 400);
    },
  },
  {
    name: "refuses a payload with another hash than the one that is signed",
    async run(at) {
      const payloadHash = sha256("other");
      const answer = await at.raw("x", { method: "PUT", body: "x", payloadHash });
      answersWith(answer, "XAmzContentSHA256Mismatch", 400);
      answersWith(await at.raw("x", { method: "GET" }), "NoSuchKey", 404);
    },
  },
  {
    name: "takes a payload that is not signed where the request says so",
    async run(at) {
      const request = { method: "PUT", body: "x", payloadHash: "UNSIGNED-PAYLOAD" };
      expect((await at.raw("x", request)).status).toBe(200);
    },
  },
  {
    name: "takes a stream of signed chunks, and refuses one with a wrong signature in it",
    async run(at) {
      const request = {
        method: "PUT",
        payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        headers: { ...decoded, "content-encoding": "aws-chunked" },
      };
      const right = await at.raw("x", { ...request, chunks: frame(chunks, { signed: true }) });
      expect(right.status).toBe(200);
      const { text } = await at.raw("x", { method: "GET" });
      expect(text).toBe(Buffer.concat(chunks).toString());
      for (const spoil of [0, 1, 2]) {
        const spoilt = frame(chunks, { signed: true, spoil });
        // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other
        const answer = await at.raw("y", { ...request, chunks: spoilt });
        answersWith(answer, "SignatureDoesNotMatch", 403);
      }
    },
  },
  {
    name: "takes a stream of signed chunks with a signed trailer, and refuses a wrong one",
    async run(at) {
      const trailer = { "x-amz-checksum-sha256": "" };
      trailer["x-amz-checksum-sha256"] = Buffer.from(sha256(Buffer.concat(chunks)), "hex").toString(
        "base64",
      );
      const request = {
        method: "PUT",
        payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        headers: { ...decoded, "x-amz-trailer": "x-amz-checksum-sha256" },
      };
      const right = frame(chunks, { signed: true, trailer });
      expect((await at.raw("x", { ...request, chunks: right })).status).toBe(200);
      const spoilt = frame(chunks, { signed: true, trailer, spoil: -1 });
      const answer = await at.raw("y", { ...request, chunks: spoilt });
      answersWith(answer, "SignatureDoesNotMatch", 403);
    },
  },
  {
    name: "refuses chunks below 8 KiB before the last",
    async run(at) {
      const request = {
        method: "PUT",
        payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        headers: decoded,
        chunks: frame(chunks.toReversed(), { signed: true }),
      };
      answersWith(await at.raw("x", request), "InvalidChunkSizeError", 403);
    },
  },
  {
    name: "refuses a stream that ends before it has said so, and one of another length",
    async run(at) {
      const request = {
        method: "PUT",
        payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        headers: decoded,
      };
      const whole = frame(chunks, { signed: true });
      const cut = await at.raw("x", {
        ...request,
        chunks: (with_) => whole(with_).subarray(0, -90),
      });
      answersWith(cut, "IncompleteBody", 400);
      const headers = { "x-amz-decoded-content-length": "9000" };
      const longer = await at.raw("x", { ...request, headers, chunks: whole });
      answersWith(longer, "IncompleteBody", 400);
      answersWith(await at.raw("x", { method: "GET" }), "NoSuchKey", 404);
    },
  },
  {
    name: "follows a presigned URL, with the headers that it asks for",
    async run(at) {
      await at.raw("x", { method: "PUT", body: "presigned" });
      const command = new GetObjectCommand({
        Bucket: at.bucket,
        Key: at.key("x"),
        ResponseContentType: "text/x-other",
        ResponseContentDisposition: 'attachment; filename="é.txt"',
      });
      const answer = await follow(at, await getSignedUrl(at.client, command, { expiresIn: 60 }));
      expect([answer.status, answer.text]).toEqual([200, "presigned"]);
      expect(answer.headers["content-type"]).toBe("text/x-other");
      expect(answer.headers["content-disposition"]).toMatch(/^attachment; filename=/u);
    },
  },
  {
    name: "refuses a presigned URL whose time is over",
    async run(at) {
      const command = new GetObjectCommand({ Bucket: at.bucket, Key: at.key("x") });
      const signingDate = new Date(Date.now() - 10 * minute);
      const url = await getSignedUrl(at.client, command, { expiresIn: 60, signingDate });
      const answer = await follow(at, url);
      answersWith(answer, "AccessDenied", 403);
      expect(answer.text).toContain("<Message>Request has expired</Message>");
    },
  },
  {
    name: "refuses a presigned URL for another method or another key",
    async run(at) {
      const command = new GetObjectCommand({ Bucket: at.bucket, Key: at.key("x") });
      const url = await getSignedUrl(at.client, command, { expiresIn: 60 });
      answersWith(await follow(at, url, "DELETE"), "SignatureDoesNotMatch", 403);
      const other = url.replace(`${at.prefix}/x`, `${at.prefix}/y`);
      answersWith(await follow(at, other), "SignatureDoesNotMatch", 403);
    },
  },
  {
    name: "refuses a presigned URL that would hold for more than a week",
    async run(at) {
      const command = new GetObjectCommand({ Bucket: at.bucket, Key: at.key("x") });
      const url = await getSignedUrl(at.client, command, { expiresIn: 60 });
      const answer = await follow(at, url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"));
      answersWith(answer, "AuthorizationQueryParametersError", 400);
    },
  },
  {
    name: "finds the bucket in the host's name",
    async run(at) {
      await at.raw("x", { method: "PUT", body: "virtual" });
      const { port } = new URL(at.place.endpoint);
      const answer = await sendRaw(at.place, {
        method: "GET",
        path: `/${at.key("x")}`,
        headers: { host: `${at.bucket}.localhost:${port}` },
      });
      expect([answer.status, answer.text]).toEqual([200, "virtual"]);
    },
  },
];
