import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { answersWith, bytesOf, type CaseContext, mebibyte, refused, type S3Case } from "./case.ts";

/** An upload that a case began. */
class CaseUpload {
  readonly at: CaseContext;
  readonly Key: string;
  readonly UploadId: string;

  constructor(at: CaseContext, key: string, id: string) {
    this.at = at;
    this.Key = key;
    this.UploadId = id;
  }

  static async begin(at: CaseContext, name: string): Promise<CaseUpload> {
    const { bucket: Bucket, client } = at;
    const Key = at.key(name);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    return new CaseUpload(at, Key, UploadId ?? "");
  }

  get where(): { Bucket: string; Key: string; UploadId: string } {
    return { Bucket: this.at.bucket, Key: this.Key, UploadId: this.UploadId };
  }

  async part(PartNumber: number, Body: Buffer): Promise<CompletedPart> {
    const input = { ...this.where, PartNumber, Body };
    const { ETag } = await this.at.client.send(new UploadPartCommand(input));
    return { PartNumber, ETag };
  }

  complete(parts: readonly CompletedPart[]): Promise<unknown> {
    const MultipartUpload = { Parts: [...parts] };
    const input = { ...this.where, MultipartUpload };
    return this.at.client.send(new CompleteMultipartUploadCommand(input));
  }

  abort(): Promise<unknown> {
    return this.at.client.send(new AbortMultipartUploadCommand(this.where));
  }

  async read(): Promise<Buffer> {
    const { Bucket, Key } = this.where;
    const got = await this.at.client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await got.Body?.transformToByteArray()) ?? []);
  }
}

export const uploadCases: readonly S3Case[] = [
  {
    name: "makes one object of parts, whatever the order in which they came",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const [first, last] = [bytesOf(5 * mebibyte, 1), bytesOf(1000, 2)];
      const second = await upload.part(7, last);
      const parts = [await upload.part(2, first), second];
      await upload.complete(parts);
      expect((await upload.read()).equals(Buffer.concat([first, last]))).toBe(true);
    },
  },
  {
    name: "names an object of parts by the digests of its parts",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      await upload.complete([await upload.part(1, Buffer.from("a"))]);
      const { headers } = await at.raw("x", { method: "HEAD" });
      // `printf a | openssl md5 -binary | openssl md5`
      expect(headers.etag).toBe('"b6ff9a06b7e20bcb2858c5b8ff744aea-1"');
    },
  },
  {
    name: "shows nothing of an upload before it is complete",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      await upload.part(1, Buffer.from("a"));
      answersWith(await at.raw("x", { method: "GET" }), "NoSuchKey", 404);
      await upload.abort();
    },
  },
  {
    name: "takes the later of two parts with one number",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const stale = await upload.part(1, Buffer.from("first"));
      const fresh = await upload.part(1, Buffer.from("second"));
      await refused(upload.complete([stale]), "InvalidPart", 400);
      await upload.complete([fresh]);
      expect((await upload.read()).toString()).toBe("second");
    },
  },
  {
    name: "leaves out the parts that a Complete does not name",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      await upload.part(1, Buffer.from("unwanted"));
      await upload.complete([await upload.part(2, Buffer.from("wanted"))]);
      expect((await upload.read()).toString()).toBe("wanted");
    },
  },
  {
    name: "refuses a part below 5 MiB that is not the last",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const small = await upload.part(1, bytesOf(5 * mebibyte - 1));
      const parts = [small, await upload.part(2, bytesOf(10))];
      await refused(upload.complete(parts), "EntityTooSmall", 400);
      await upload.abort();
    },
  },
  {
    name: "refuses parts out of order",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const body = bytesOf(5 * mebibyte);
      const parts = [await upload.part(1, body), await upload.part(2, body)];
      await refused(upload.complete(parts.toReversed()), "InvalidPartOrder", 400);
      await upload.abort();
    },
  },
  {
    name: "refuses a part that was not uploaded, and a wrong entity tag",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const part = await upload.part(1, bytesOf(10));
      const absent = { ...part, PartNumber: 2 };
      await refused(upload.complete([absent]), "InvalidPart", 400);
      const wrong = { ...part, ETag: '"00000000000000000000000000000000"' };
      await refused(upload.complete([wrong]), "InvalidPart", 400);
      await upload.abort();
    },
  },
  {
    name: "refuses a Complete without parts, and one that is no XML",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const query = `uploadId=${encodeURIComponent(upload.UploadId)}`;
      for (const body of ["<CompleteMultipartUpload></CompleteMultipartUpload>", "nonsense"]) {
        // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other
        const answer = await at.raw("x", { method: "POST", query, body });
        answersWith(answer, "MalformedXML", 400);
      }
      await upload.abort();
    },
  },
  {
    name: "refuses part numbers below 1 and above 10,000",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const id = encodeURIComponent(upload.UploadId);
      for (const number of [0, 10_001]) {
        const query = `partNumber=${number}&uploadId=${id}`;
        // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other
        const answer = await at.raw("x", { method: "PUT", query, body: "x" });
        answersWith(answer, "InvalidArgument", 400);
      }
      expect((await upload.part(10_000, bytesOf(1))).ETag).toBeDefined();
      await upload.abort();
    },
  },
  {
    name: "knows no upload that was aborted",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const part = await upload.part(1, bytesOf(10));
      await upload.abort();
      await refused(upload.complete([part]), "NoSuchUpload", 404);
      await refused(upload.part(2, bytesOf(10)), "NoSuchUpload", 404);
      await refused(upload.abort(), "NoSuchUpload", 404);
    },
  },
  {
    name: "knows no upload that was completed",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      const part = await upload.part(1, bytesOf(10));
      await upload.complete([part]);
      await refused(upload.part(2, bytesOf(10)), "NoSuchUpload", 404);
      const input = new ListPartsCommand(upload.where);
      await refused(at.client.send(input), "NoSuchUpload", 404);
    },
  },
  {
    name: "lists an upload's parts by pages",
    async run(at) {
      const upload = await CaseUpload.begin(at, "x");
      for (const number of [5, 1, 3]) {
        // oxlint-disable-next-line eslint/no-await-in-loop -- the order is the point
        await upload.part(number, bytesOf(number));
      }
      const first = await at.client.send(new ListPartsCommand({ ...upload.where, MaxParts: 2 }));
      expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
        [1, 1],
        [3, 3],
      ]);
      expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: "3" });
      const PartNumberMarker = first.NextPartNumberMarker;
      const second = await at.client.send(
        new ListPartsCommand({ ...upload.where, PartNumberMarker }),
      );
      expect(second.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([5]);
      expect(second.IsTruncated).toBe(false);
      await upload.abort();
    },
  },
  {
    name: "lists unfinished uploads below a prefix, by key and by pages",
    async run(at) {
      const uploads = await Promise.all(["b", "a", "c"].map((name) => CaseUpload.begin(at, name)));
      const { client, bucket: Bucket, prefix } = at;
      const input = { Bucket, Prefix: `${prefix}/` };
      const first = await client.send(new ListMultipartUploadsCommand({ ...input, MaxUploads: 2 }));
      expect(first.Uploads?.map(({ Key }) => Key)).toEqual([at.key("a"), at.key("b")]);
      expect(first.IsTruncated).toBe(true);
      const second = await client.send(
        new ListMultipartUploadsCommand({
          ...input,
          KeyMarker: first.NextKeyMarker,
          UploadIdMarker: first.NextUploadIdMarker,
        }),
      );
      expect(second.Uploads?.map(({ Key }) => Key)).toEqual([at.key("c")]);
      expect(second.Uploads?.[0]?.Initiated).toBeInstanceOf(Date);
      await Promise.all(uploads.map((upload) => upload.abort()));
      const none = await client.send(new ListMultipartUploadsCommand(input));
      expect(none.Uploads ?? []).toEqual([]);
    },
  },
  {
    name: "makes parts of ranges of another object",
    async run(at) {
      const { bucket: Bucket, client } = at;
      const source = bytesOf(6 * mebibyte);
      await client.send(new PutObjectCommand({ Bucket, Key: at.key("source"), Body: source }));
      const upload = await CaseUpload.begin(at, "x");
      const ranges = [`bytes=0-${5 * mebibyte - 1}`, `bytes=${5 * mebibyte}-${6 * mebibyte - 1}`];
      const parts = await Promise.all(
        ranges.map(async (CopySourceRange, index) => {
          const CopySource = `${Bucket}/${at.key("source")}`;
          const PartNumber = index + 1;
          const input = { ...upload.where, PartNumber, CopySource, CopySourceRange };
          const { CopyPartResult } = await client.send(new UploadPartCopyCommand(input));
          return { PartNumber, ETag: CopyPartResult?.ETag };
        }),
      );
      await upload.complete(parts);
      expect((await upload.read()).equals(source)).toBe(true);
    },
  },
  {
    name: "refuses a range of the source that ends after it",
    async run(at) {
      const { bucket: Bucket, client } = at;
      await client.send(new PutObjectCommand({ Bucket, Key: at.key("source"), Body: "0123" }));
      const upload = await CaseUpload.begin(at, "x");
      const CopySource = `${Bucket}/${at.key("source")}`;
      const range = { CopySource, CopySourceRange: "bytes=0-9" };
      const input = { ...upload.where, PartNumber: 1, ...range };
      const work = client.send(new UploadPartCopyCommand(input));
      await refused(work, "InvalidArgument", 400);
      await upload.abort();
    },
  },
  {
    name: "reads one part of a finished object",
    async run(at) {
      const { client } = at;
      const upload = await CaseUpload.begin(at, "x");
      const first = await upload.part(1, bytesOf(5 * mebibyte));
      await upload.complete([first, await upload.part(2, Buffer.from("tail"))]);
      const { Bucket, Key } = upload.where;
      const got = await client.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2 }));
      await got.Body?.transformToByteArray();
      expect(got.ContentLength).toBe(4);
      expect([got.$metadata.httpStatusCode, got.PartsCount]).toEqual([206, 2]);
    },
  },
];
