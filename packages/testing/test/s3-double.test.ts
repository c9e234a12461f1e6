import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { placeOfEnvironment, s3Place, type TestS3Place } from "../src/s3-place.ts";
import { allCases } from "./s3-cases/all-cases.ts";
import { contextOf, createClient } from "./s3-cases/case.ts";
import { radosgwDifferences } from "./s3-cases/radosgw-differences.ts";

// `pnpm test:s3` names a real server, which behaves otherwise where the list says so.
const atRadosgw = placeOfEnvironment() !== undefined;

let place: TestS3Place;
let client: S3Client;

beforeAll(async () => {
  place = await s3Place();
  client = createClient(place);
});

afterAll(async () => {
  await empty();
  client.destroy();
  await place.close();
});

const numbered = allCases.map((each, number) => [each.name, { ...each, number }] as const);
const held = numbered.filter(([name]) => !atRadosgw || !radosgwDifferences.has(name));
const differing = numbered.filter((each) => !held.includes(each));

describe("S3", () => {
  it.each(held)("%s", async (_, { run, number }) => {
    expect.hasAssertions();
    await run(contextOf(place, client, number));
  });

  // They must still differ: the list says no more than is so.
  it.each(differing)("differs: %s", async (_, { run, number }) => {
    await expect(run(contextOf(place, client, number))).rejects.toThrow(/./su);
  });

  it("has as differences only cases that there are, each named once", () => {
    const names = allCases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...radosgwDifferences.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });
});

/** Removes what the cases have left; a bucket of the environment is not ours alone. */
async function empty(): Promise<void> {
  const wanted = { Bucket: place.bucket, Prefix: `${place.prefix}/` };
  const { bucket: Bucket } = place;
  for await (const page of paginateListObjectsV2({ client }, wanted)) {
    const keys = (page.Contents ?? []).map(({ Key }) => Key);
    await Promise.all(keys.map((Key) => client.send(new DeleteObjectCommand({ Bucket, Key }))));
  }
  const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand(wanted));
  await Promise.all(
    uploads.map(({ Key, UploadId }) => {
      return client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    }),
  );
}
