import type { ContentAddress } from "@store/identity";
import { joined, sampleBytes } from "@store/storage/conformance";
import { startS3Double, type S3Double } from "@store/testing/s3-double";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Bucket } from "./lib/bucket.ts";
import { addressWith, put } from "./lib/bytes.ts";

let double: S3Double;

beforeAll(async () => {
  double = await startS3Double();
});
afterAll(async () => double.close());

async function archived() {
  const bucket = new Bucket(double);
  const backend = await bucket.open();
  onTestFinished(async () => {
    await backend.close();
    await bucket.dispose();
  });
  const { address } = await put(backend, sampleBytes(1000));
  const hex = address.slice("blake3:".length);
  const key = `${bucket.prefix}/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
  await double.archiveObject(key);
  return { backend, address, key };
}

test("an archived object is told as such, and read only once it is restored", async () => {
  const { backend, address, key } = await archived();
  const stat = async () => (await backend.stat(address))?.retrieval;
  expect(await stat()).toEqual({ tier: "archive", restore: "none" });
  const refused = { code: "restore_required" };
  await expect(joined(backend.open(address))).rejects.toMatchObject(refused);
  const requested = { tier: "archive", restore: "requested" };
  expect(await backend.restore(address, { days: 2, speed: "bulk" })).toEqual(requested);
  expect(await backend.restore(address, { days: 2 })).toEqual(requested);
  await expect(joined(backend.open(address))).rejects.toMatchObject(refused);
  await double.finishRestore(key);
  const restored = { tier: "archive", restore: "restored", restoredUntil: expect.any(String) };
  expect(await stat()).toEqual(restored);
  expect(await backend.restore(address, { days: 5 })).toEqual(restored);
  expect(await joined(backend.open(address))).toHaveLength(1000);
  await double.expireRestore(key);
  await expect(joined(backend.open(address))).rejects.toMatchObject(refused);
});

test("what goes straight into an archive is said to lie there, also by who comes later", async () => {
  const bucket = new Bucket(double);
  const storageClasses = { permanent: "DEEP_ARCHIVE", standard: "STANDARD_IA" };
  const backend = await bucket.open({ storageClasses });
  const address = addressWith("22");
  const commit = async (retentionClass: string) => {
    const staged = await backend.stage({ lease: "test", retentionClass });
    await staged.write(sampleBytes(1000));
    return staged.commit(address);
  };
  const receipt = { address, sizeBytes: 1000 };
  const archived = { tier: "archive", restore: "none" };
  expect(await commit("permanent")).toEqual({ ...receipt, existed: false, retrieval: archived });
  expect(await commit("permanent")).toEqual({ ...receipt, existed: true, retrieval: archived });
  await backend.remove(address);
  expect(await commit("standard")).toEqual({ ...receipt, existed: false });
  expect(await commit("permanent")).toEqual({ ...receipt, existed: true });
  await backend.close();
  await bucket.dispose();
});

test("a hot object stays as it is, and what is not there cannot be restored", async () => {
  const bucket = new Bucket(double);
  const backend = await bucket.open();
  const { address } = await put(backend, sampleBytes(10));
  expect(await backend.restore(address, { days: 1 })).toEqual({ tier: "hot", restore: "none" });
  const absent = backend.restore(addressWith("00"), { days: 1 });
  await expect(absent).rejects.toMatchObject({ code: "object_not_found" });
  for (const days of [0, 366, 1.5, Number.NaN]) {
    await expect(backend.restore(address, { days })).rejects.toMatchObject({
      code: "invalid_argument",
    });
  }
  await backend.close();
  await bucket.dispose();
});

test("a presigned URL reads the object, and ranges of it, and nothing else", async () => {
  const bucket = new Bucket(double);
  const backend = await bucket.open();
  const { address } = await put(backend, sampleBytes(1000));
  const disposition = 'attachment; filename="a b.txt"';
  const url = await backend.presign(address, { expiresMs: 2500, mediaType: "text/x", disposition });
  const whole = await fetch(url);
  expect(whole.headers.get("content-type")).toBe("text/x");
  expect(whole.headers.get("content-disposition")).toBe(disposition);
  expect(new Uint8Array(await whole.arrayBuffer())).toEqual(sampleBytes(1000));
  const part = await fetch(url, { headers: { range: "bytes=10-19" } });
  expect(part.status).toBe(206);
  expect(await part.arrayBuffer()).toHaveProperty("byteLength", 10);
  expect(new URL(url).searchParams.get("X-Amz-Expires")).toBe("2");
  expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
  const other: ContentAddress = addressWith("11");
  const forged = url.replace(address.slice("blake3:".length), other.slice("blake3:".length));
  expect((await fetch(forged)).status).toBe(403);
  for (const expiresMs of [0, 300_001, 1.5]) {
    await expect(backend.presign(address, { expiresMs })).rejects.toMatchObject({
      code: "invalid_argument",
    });
  }
  await double.setClockOffset(10_000);
  expect((await fetch(url)).status).toBe(403);
  await double.setClockOffset(0);
  await backend.close();
  await bucket.dispose();
});
