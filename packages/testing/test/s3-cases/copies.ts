import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { type CaseContext, refused, type S3Case } from "./case.ts";

async function source(at: CaseContext): Promise<void> {
  const { bucket: Bucket, client } = at;
  const Key = at.key("the source é");
  const Metadata = { colour: "blue" };
  await client.send(new PutObjectCommand({ Bucket, Key, Body: "source", Metadata }));
}

function copy(at: CaseContext, input: Partial<CopyObjectCommandInput> = {}): Promise<unknown> {
  const { bucket: Bucket, client } = at;
  const CopySource = encodeURIComponent(`${Bucket}/${at.key("the source é")}`);
  return client.send(new CopyObjectCommand({ Bucket, Key: at.key("copy"), CopySource, ...input }));
}

export const copyCases: readonly S3Case[] = [
  {
    name: "copies an object with what was said of it",
    async run(at) {
      await source(at);
      await copy(at);
      const answer = await at.raw("copy", { method: "GET" });
      expect([answer.text, answer.headers["x-amz-meta-colour"]]).toEqual(["source", "blue"]);
    },
  },
  {
    name: "copies an object and says other things of it",
    async run(at) {
      await source(at);
      await copy(at, { MetadataDirective: "REPLACE", Metadata: { taste: "sour" } });
      const { headers } = await at.raw("copy", { method: "HEAD" });
      expect([headers["x-amz-meta-colour"], headers["x-amz-meta-taste"]]).toEqual([
        undefined,
        "sour",
      ]);
    },
  },
  {
    name: "refuses to copy an object to itself without a change",
    async run(at) {
      await source(at);
      await refused(copy(at, { Key: at.key("the source é") }), "InvalidRequest", 400);
    },
  },
  {
    name: "refuses to copy what is not there",
    async run(at) {
      await refused(copy(at), "NoSuchKey", 404);
    },
  },
  {
    name: "copies under a condition on the source",
    async run(at) {
      await source(at);
      const work = copy(at, { CopySourceIfMatch: '"other"' });
      await refused(work, "PreconditionFailed", 412);
    },
  },
  {
    name: "copies only to a free key under If-None-Match: *",
    async run(at) {
      await source(at);
      await copy(at, { IfNoneMatch: "*" });
      await refused(copy(at, { IfNoneMatch: "*" }), "PreconditionFailed", 412);
    },
  },
];
