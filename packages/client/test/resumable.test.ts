import { isDeepStrictEqual } from "node:util";

import type { UploadInfo } from "@store/api";
import { StoreError, type ContentAddress } from "@store/identity";
import { expect, test } from "vitest";

import { uploadFiles, type AppendedUpload, type UploadSource } from "../src/index.ts";
import { quick } from "./double.ts";
import { gathered, sampleBytes, type Sample } from "./samples.ts";

interface Kept {
  readonly info: UploadInfo;
  bytes: Buffer;
}

/** A target of resumable uploads whose appends fail as they are told to. */
class Uploads {
  readonly kept = new Map<string, Kept>();
  readonly added: unknown[] = [];
  /** What becomes of each append, the last one of all that follow: how many bytes it keeps. */
  appends: ((offset: number) => { keep?: number; error?: StoreError })[] = [];
  pageSize = 1_000;

  async listMissing(addresses: readonly ContentAddress[]) {
    return [...addresses];
  }
  async addFile(_: string, path: string, object: unknown): Promise<never> {
    this.added.push([path, object]);
    return {} as never;
  }
  async ingestFile(): Promise<never> {
    throw new Error("It is to be uploaded resumably.");
  }
  async createUpload(input: {
    readonly sizeBytes: number;
    readonly expect: { readonly address: ContentAddress };
    readonly metadata: Readonly<Record<string, string>>;
  }): Promise<UploadInfo> {
    const { sizeBytes, metadata } = input;
    return this.begin(`upload ${this.kept.size + 1}`, sizeBytes, metadata, Buffer.alloc(0));
  }
  begin(id: string, sizeBytes: number, metadata: Record<string, string>, bytes: Buffer) {
    const time = "2026-01-02T03:04:05.678Z";
    const info: UploadInfo = {
      id,
      status: "open",
      offsetBytes: bytes.byteLength,
      sizeBytes,
      metadata,
      createdAt: time,
      expiresAt: time,
    };
    this.kept.set(id, { info, bytes });
    return info;
  }
  async getUploadOffset(id: string): Promise<number> {
    return this.#find(id).bytes.byteLength;
  }
  async listUploads({ cursor = "0" }: { readonly cursor?: string } = {}) {
    const all = [...this.kept.values()].map(({ info }) => info);
    const end = Number(cursor) + this.pageSize;
    const items = all.slice(Number(cursor), end);
    return end < all.length ? { items, cursor: String(end) } : { items };
  }
  async appendUpload(
    id: string,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
  ): Promise<AppendedUpload> {
    const kept = this.#find(id);
    if (kept.bytes.byteLength !== offsetBytes)
      throw new StoreError("upload_conflict", "Elsewhere.");
    const { keep = Infinity, error } = this.#next()(offsetBytes);
    const bytes = Buffer.from(await gathered(source)).subarray(0, keep);
    kept.bytes = Buffer.concat([kept.bytes, bytes]);
    if (error !== undefined) throw error;
    return { offsetBytes: kept.bytes.byteLength };
  }

  #next(): Uploads["appends"][number] {
    const [next = () => ({})] = this.appends;
    if (this.appends.length > 1) this.appends.shift();
    return next;
  }

  #find(id: string): Kept {
    const found = this.kept.get(id);
    if (found === undefined) throw new StoreError("upload_not_found", "It is gone.");
    return found;
  }
}

const cut = new StoreError("storage_unavailable", "The connection was cut.");
const locked = new StoreError("upload_locked", "Another writes.");

async function large() {
  const sample = await sampleBytes(500_000);
  const file: UploadSource = {
    path: "large",
    open: async function* ({ start, end } = { start: 0 }) {
      yield sample.bytes.subarray(start, end);
    },
  };
  return { sample, file };
}

const options = { resumableFromBytes: 100_000, retry: quick };

/** The upload that became the file, if it holds all of it. */
function wholeUpload(target: Uploads, { bytes }: Sample): string | undefined {
  const [id, { bytes: kept } = { bytes: undefined }] =
    [...target.kept].find(([id]) => isDeepStrictEqual(target.added, [["large", { upload: id }]])) ??
    [];
  return kept?.equals(Buffer.from(bytes)) === true ? id : undefined;
}

test("goes on at the durable offset, as often as it gets further", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  target.appends = [(offset) => (offset < 480_000 ? { keep: 20_000, error: cut } : {})];
  const outcome = await uploadFiles(target, "p", [file], options);
  expect(wholeUpload(target, sample)).toBe("upload 1");
  expect(outcome).toMatchObject({ files: 1, bytes: 500_000, newObjects: 1, newBytes: 500_000 });
});

test("gives up where it gets no further", async () => {
  const [target, { file }] = [new Uploads(), await large()];
  target.appends = [() => ({ keep: 20_000, error: cut }), () => ({ keep: 0, error: cut })];
  await expect(uploadFiles(target, "p", [file], options)).rejects.toBe(cut);
  expect(target.kept.size).toBe(1);
});

test("tells the package's retention class, where it is given one", async () => {
  const [target, { file }] = [new Uploads(), await large()];
  await uploadFiles(target, "p", [file], { ...options, retentionClass: "audit" });
  await uploadFiles(target, "p", [file], { ...options, resume: false });
  const told = [...target.kept.values()].map(({ info }) => info.metadata["retention_class"]);
  expect(told).toEqual(["audit", undefined]);
});

test("sends parts, where requests may not be large", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  const offsets: number[] = [];
  target.appends = [(offset) => ({ keep: offsets.push(offset) > 0 ? Infinity : 0 })];
  await uploadFiles(target, "p", [file], { ...options, partBytes: 200_000 });
  expect(offsets).toEqual([0, 200_000, 400_000]);
  expect(wholeUpload(target, sample)).toBe("upload 1");
});

test("goes on with the upload that got furthest before, of the same bytes", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  const expected = { expect: sample.address };
  const head = (sizeBytes: number) => Buffer.from(sample.bytes.subarray(0, sizeBytes));
  target.begin("of other bytes", 500_000, { expect: "blake3:1" }, head(400_000));
  target.begin("of another size", 500_001, expected, head(400_000));
  target.begin("less", 500_000, expected, head(100_000));
  target.begin("most", 500_000, expected, head(300_000));
  target.pageSize = 2;
  const seen: number[] = [];
  const outcome = await uploadFiles(target, "p", [file], {
    ...options,
    onProgress: ({ bytes }) => void seen.push(bytes),
  });
  expect(wholeUpload(target, sample)).toBe("most");
  expect(outcome).toMatchObject({ bytes: 500_000, sentBytes: 200_000 });
  expect(seen[0]).toBe(300_000);
});

test("begins anew where it is told not to go on", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  target.begin("before", 500_000, { expect: sample.address }, Buffer.alloc(0));
  await uploadFiles(target, "p", [file], { ...options, resume: false });
  expect(wholeUpload(target, sample)).toBe("upload 2");
});

test("begins anew where the upload is gone", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  target.appends = [
    () => {
      target.kept.delete("upload 1");
      target.kept.set("gone", { info: {} as UploadInfo, bytes: Buffer.alloc(0) });
      return { error: cut };
    },
    () => ({}),
  ];
  await uploadFiles(target, "p", [file], options);
  expect(wholeUpload(target, sample)).toBe("upload 2");
});

test("leaves an upload to another that keeps taking it over", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  const taken = () => ({ keep: 0, error: locked });
  target.appends = [taken, taken, taken, () => ({})];
  await uploadFiles(target, "p", [file], options);
  expect(wholeUpload(target, sample)).toBe("upload 2");
});

test("goes on where it was told another offset", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  const conflict = new StoreError("upload_conflict", "Elsewhere.");
  target.appends = [() => ({ keep: 1_000, error: conflict }), () => ({})];
  await uploadFiles(target, "p", [file], options);
  expect(wholeUpload(target, sample)).toBe("upload 1");
});

test("keeps the upload for another time when it is given up", async () => {
  const [target, { sample, file }] = [new Uploads(), await large()];
  const stop = new AbortController();
  target.appends = [
    () => {
      stop.abort();
      return { keep: 100_000, error: cut };
    },
    () => ({}),
  ];
  const { signal } = stop;
  await expect(uploadFiles(target, "p", [file], { ...options, signal })).rejects.toMatchObject({
    code: "aborted",
  });
  await uploadFiles(target, "p", [file], options);
  expect(wholeUpload(target, sample)).toBe("upload 1");
});
