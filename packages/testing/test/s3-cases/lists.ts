import {
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  paginateListObjectsV2,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { answersWith, type CaseContext, type S3Case } from "./case.ts";
import { sendRaw } from "./raw-s3.ts";

async function fill(at: CaseContext, names: readonly string[]): Promise<void> {
  const { bucket: Bucket, client } = at;
  const puts = names.map((name) => {
    return client.send(new PutObjectCommand({ Bucket, Key: at.key(name), Body: name }));
  });
  await Promise.all(puts);
}

function list(
  at: CaseContext,
  input: Partial<ListObjectsV2CommandInput>,
): Promise<ListObjectsV2CommandOutput> {
  const Prefix = `${at.prefix}/`;
  return at.client.send(new ListObjectsV2Command({ Bucket: at.bucket, Prefix, ...input }));
}

/** Names without what all keys of the case begin with. */
function names(at: CaseContext, output: ListObjectsV2CommandOutput): readonly string[] {
  return (output.Contents ?? []).map(({ Key }) => Key?.slice(at.prefix.length + 1) ?? "");
}

function prefixes(at: CaseContext, output: ListObjectsV2CommandOutput): readonly string[] {
  return (output.CommonPrefixes ?? []).map(({ Prefix }) => {
    return Prefix?.slice(at.prefix.length + 1) ?? "";
  });
}

export const listCases: readonly S3Case[] = [
  {
    name: "lists by the order of the keys' UTF-8 bytes",
    async run(at) {
      // U+FF5E comes before U+1F600 in UTF-8, and after it in UTF-16.
      const sorted = ["A", "a", "a/b", "a0", "z", "é", "～", "😀"];
      await fill(at, [...sorted].reverse());
      expect(names(at, await list(at, {}))).toEqual(sorted);
    },
  },
  {
    name: "lists by pages that a token continues",
    async run(at) {
      const all = Array.from({ length: 7 }, (_, index) => `n${index}`);
      await fill(at, all);
      const first = await list(at, { MaxKeys: 3 });
      expect(first).toMatchObject({ IsTruncated: true, KeyCount: 3, MaxKeys: 3 });
      const found: string[] = [];
      const { client } = at;
      const Prefix = `${at.prefix}/`;
      const pages = paginateListObjectsV2({ client, pageSize: 3 }, { Bucket: at.bucket, Prefix });
      for await (const page of pages) found.push(...names(at, page));
      expect(found).toEqual(all);
    },
  },
  {
    name: "does not say that there is more where the last page is full",
    async run(at) {
      await fill(at, ["a", "b"]);
      const page = await list(at, { MaxKeys: 2 });
      expect(page.IsTruncated).toBe(false);
      expect(page.NextContinuationToken).toBeUndefined();
    },
  },
  {
    name: "lists what comes after a key",
    async run(at) {
      await fill(at, ["a", "b", "c"]);
      expect(names(at, await list(at, { StartAfter: at.key("a") }))).toEqual(["b", "c"]);
      expect(names(at, await list(at, { StartAfter: at.key("aa") }))).toEqual(["b", "c"]);
    },
  },
  {
    name: "gathers keys below a delimiter, and counts what it gathered as one",
    async run(at) {
      await fill(at, ["a", "b/1", "b/2", "c/1", "d"]);
      const whole = await list(at, { Delimiter: "/" });
      expect([names(at, whole), prefixes(at, whole)]).toEqual([
        ["a", "d"],
        ["b/", "c/"],
      ]);
      const first = await list(at, { Delimiter: "/", MaxKeys: 2 });
      expect([names(at, first), prefixes(at, first)]).toEqual([["a"], ["b/"]]);
      const ContinuationToken = first.NextContinuationToken;
      const second = await list(at, { Delimiter: "/", MaxKeys: 2, ContinuationToken });
      expect([names(at, second), prefixes(at, second)]).toEqual([["d"], ["c/"]]);
      expect(second.IsTruncated).toBe(false);
    },
  },
  {
    name: "writes keys as in a URL where that is asked for",
    async run(at) {
      await fill(at, ["a b&c/é"]);
      const [found] = (await list(at, { EncodingType: "url" })).Contents ?? [];
      const key = found?.Key ?? "";
      expect(decodeURIComponent(key.replaceAll("+", "%20"))).toBe(at.key("a b&c/é"));
      expect(key).not.toContain("é");
    },
  },
  {
    name: "lists nothing below a prefix that nothing has",
    async run(at) {
      const page = await list(at, { Prefix: `${at.prefix}/none` });
      expect(page).toMatchObject({ KeyCount: 0, IsTruncated: false });
    },
  },
  {
    name: "says an object's size and entity tag in the list",
    async run(at) {
      await fill(at, ["a"]);
      const [entry] = (await list(at, {})).Contents ?? [];
      expect(entry).toMatchObject({ Size: 1, ETag: '"0cc175b9c0f1b6a831c399e269772661"' });
    },
  },
  {
    name: "refuses a number of keys that is none",
    async run(at) {
      const query = "list-type=2&max-keys=many";
      const answer = await sendRaw(at.place, { method: "GET", path: `/${at.bucket}`, query });
      answersWith(answer, "InvalidArgument", 400);
    },
  },
  {
    name: "refuses a token that it did not give",
    async run(at) {
      const query = "continuation-token=bm9uc2Vuc2U&list-type=2";
      const answer = await sendRaw(at.place, { method: "GET", path: `/${at.bucket}`, query });
      answersWith(answer, "InvalidArgument", 400);
    },
  },
];
