import { addressOf, joined, sampleBytes } from "@store/storage/conformance";
import { proving } from "@store/testing/prove";
import { placeOfEnvironment, s3Place, type TestS3Place } from "@store/testing/s3-place";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import { Bucket } from "./lib/bucket.ts";
import { assertSameBytes, manyBytes, MIB, put, stagedIn, sweep } from "./lib/bytes.ts";

/** What looks at requests and objects from the side has to have a double. */
const isReal = placeOfEnvironment() !== undefined;

let place: TestS3Place;
let bucket: Bucket;

beforeAll(async () => {
  place = await s3Place();
});
afterAll(async () => place.close());
beforeEach(() => {
  bucket = new Bucket(place);
});
afterEach(async () => {
  await bucket.dispose();
});

async function operations(): Promise<string[]> {
  const requests = (await place.double?.requests()) ?? [];
  return requests
    .filter(({ key }) => key.startsWith(bucket.prefix))
    .map(({ operation = "" }) => operation);
}

const sizes = [
  0,
  1,
  5 * MIB - 1,
  5 * MIB,
  8 * MIB,
  16 * MIB - 1,
  16 * MIB,
  16 * MIB + 1,
  24 * MIB,
  24 * MIB + 1,
  ...(proving ? [200 * MIB + 5] : []),
];

test.each(sizes)("an object of %i bytes arrives whole, claimed or not", async (size) => {
  const backend = await bucket.open();
  for (const claimed of [true, false]) {
    const bytes = manyBytes(size, Number(claimed) + 1);
    const { address, existed } = await put(backend, bytes, { claimed });
    // Bytes without room for a seed are the same.
    expect(existed).toBe(size < 8 && !claimed);
    assertSameBytes(await joined(backend.open(address)), bytes);
    assertSameBytes(await joined(backend.open(address, { reuseChunks: false })), bytes);
    expect(await backend.stat(address)).toEqual({ address, sizeBytes: size });
  }
  expect(await stagedIn(backend)).toEqual([]);
  for await (const { address } of backend.enumerate()) await backend.remove(address);
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

test.skipIf(isReal)(
  "up to 16 MiB take one request, with the digest and the condition",
  async () => {
    const backend = await bucket.open();
    await place.double?.forgetRequests();
    const { address } = await put(backend, manyBytes(16 * MIB));
    expect(await operations()).toEqual(["PutObject"]);
    const hex = address.slice("blake3:".length);
    const held = (await place.double?.objects())?.find(({ key }) => key.endsWith(hex));
    expect(held?.checksum).toMatchObject({ algorithm: "SHA256" });
    await backend.close();
  },
);

test.skipIf(isReal)(
  "more than that goes to its own key under a claim, and is copied without one",
  async () => {
    const backend = await bucket.open();
    await place.double?.forgetRequests();
    await put(backend, manyBytes(20 * MIB), { claimed: true });
    const claimed = await operations();
    expect(claimed.filter((name) => name === "UploadPart")).toHaveLength(3);
    expect(claimed).not.toContain("UploadPartCopy");
    await place.double?.forgetRequests();
    await put(backend, manyBytes(20 * MIB, 2));
    const copied = await operations();
    expect(copied.filter((name) => name === "UploadPartCopy")).toHaveLength(3);
    expect(copied).not.toContain("UploadPart");
    await backend.close();
  },
);

test("an object is visible only once it is committed, and not at all if it is aborted", async () => {
  const backend = await bucket.open();
  const bytes = manyBytes(20 * MIB);
  const claim = await addressOf(bytes);
  const staged = await backend.stage({ lease: "test", claim });
  await staged.write(bytes);
  await staged.sync();
  expect(await backend.stat(claim)).toBeUndefined();
  await expect(joined(staged.read())).rejects.toMatchObject({ code: "unsupported" });
  const other = await addressOf(sampleBytes(1));
  await expect(staged.commit(other)).rejects.toMatchObject({ code: "unsupported" });
  await staged.abort();
  expect(await backend.stat(claim)).toBeUndefined();
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

test("two commits of one address at once both succeed, and leave nothing behind", async () => {
  const backend = await bucket.open();
  for (const size of [1 * MIB, 20 * MIB]) {
    for (const claimed of [true, false]) {
      const bytes = manyBytes(size, size + Number(claimed));
      const both = await Promise.all([0, 1].map(() => put(backend, bytes, { claimed })));
      expect(both.some(({ existed }) => !existed)).toBe(true);
      const { address } = both[0] ?? expect.unreachable();
      assertSameBytes(await joined(backend.open(address)), bytes);
      await backend.remove(address);
    }
  }
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

test("an object of another size under the address is refused, large or small", async () => {
  const backend = await bucket.open();
  for (const [size, claimed] of [
    [1000, false],
    [20 * MIB, true],
    [20 * MIB, false],
  ] as const) {
    const bytes = manyBytes(size, 5);
    const address = await addressOf(bytes);
    const small = await backend.stage({ lease: "test" });
    await small.write(sampleBytes(10));
    await small.commit(address);
    await expect(put(backend, bytes, { claimed })).rejects.toMatchObject({ code: "size_mismatch" });
    await sweep(backend);
    await backend.remove(address);
  }
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

test("an upload in pieces of any size goes on in another process after each", async () => {
  const bytes = manyBytes(27 * MIB + 13);
  const cuts = [1, 1000, 3 * MIB, 5 * MIB, 5 * MIB + 1, 12 * MIB, 12 * MIB + 7, 26 * MIB];
  const first = await bucket.open();
  const { id } = await first.stage({ lease: "test" });
  let staged = await first.stage({ lease: "other" });
  await staged.abort();
  let backend = first;
  staged = await first.resume(id);
  for (const end of [...cuts, bytes.length]) {
    await staged.write(bytes.subarray(staged.sizeBytes, end));
    expect(await staged.sync()).toBe(end);
    await backend.close();
    backend = await bucket.open();
    staged = await backend.resume(id);
    expect(staged.sizeBytes).toBe(end);
  }
  const { address } = await staged.commit(await addressOf(bytes));
  assertSameBytes(await joined(backend.open(address)), bytes);
  await backend.remove(address);
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

test("hundreds of small pieces are joined, and nothing is asked for twice", async () => {
  const backend = await bucket.open();
  const bytes = manyBytes(600 * 1024);
  const staged = await backend.stage({ lease: "test" });
  for (let at = 0; at < bytes.length; at += 2048) {
    await staged.write(bytes.subarray(at, at + 2048));
    await staged.sync();
  }
  const resumed = await backend.resume(staged.id);
  expect(resumed.sizeBytes).toBe(bytes.length);
  assertSameBytes(await joined(resumed.read()), bytes);
  const { address } = await resumed.commit(await addressOf(bytes));
  assertSameBytes(await joined(backend.open(address)), bytes);
  await backend.remove(address);
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

test("a writer that was thought dead harms nobody who went on", async () => {
  const [one, two] = [await bucket.open(), await bucket.open()];
  const bytes = manyBytes(30 * MIB);
  const late = await one.stage({ lease: "test" });
  await late.write(bytes.subarray(0, 9 * MIB));
  await late.sync();
  const next = await two.resume(late.id);
  await late.write(manyBytes(12 * MIB, 9));
  await late.sync();
  await next.write(bytes.subarray(9 * MIB, 20 * MIB));
  await next.sync();
  await late.abort();
  const last = await two.resume(late.id);
  expect(last.sizeBytes).toBe(20 * MIB);
  await last.write(bytes.subarray(20 * MIB));
  const { address } = await last.commit(await addressOf(bytes));
  assertSameBytes(await joined(two.open(address)), bytes);
  await sweep(two);
  await two.remove(address);
  expect(await bucket.leftovers()).toEqual([]);
  await one.close();
  await two.close();
});

test("an upload in place goes on in another process behind its last part", async () => {
  const [one, two] = [await bucket.open(), await bucket.open()];
  const bytes = manyBytes(40 * MIB + 3);
  const claim = await addressOf(bytes);
  const first = await one.stage({ lease: "test", claim });
  for (let at = 0; at < 28 * MIB; at += MIB) await first.write(bytes.subarray(at, at + MIB));
  const durable = await first.sync();
  expect(durable).toBeGreaterThanOrEqual(24 * MIB);
  await one.close();
  const next = await two.resume(first.id);
  expect(next.sizeBytes).toBe(durable);
  await next.write(bytes.subarray(durable));
  await next.commit(claim);
  assertSameBytes(await joined(two.open(claim)), bytes);
  await two.remove(claim);
  expect(await bucket.leftovers()).toEqual([]);
  await two.close();
});

test("objects and uploads of others in the bucket are neither listed nor touched", async () => {
  const { CreateMultipartUploadCommand, PutObjectCommand } = await import("@aws-sdk/client-s3");
  const backend = await bucket.open();
  const foreign = [
    "staging/readme.txt",
    "staging/x/y/z",
    "uploads/notes",
    "blake3/ab/cd/short",
    "a",
  ];
  for (const key of foreign) {
    const input = { Bucket: place.bucket, Key: `${bucket.prefix}/${key}` };
    await bucket.client.send(new PutObjectCommand({ ...input, Body: "x" }));
    await bucket.client.send(new CreateMultipartUploadCommand(input));
  }
  const { address } = await put(backend, sampleBytes(10));
  expect((await Array.fromAsync(backend.enumerate())).map((one) => one.address)).toEqual([address]);
  await sweep(backend);
  await backend.remove(address);
  expect(await bucket.leftovers()).toEqual([
    ...foreign.toSorted(),
    ...foreign.toSorted().map((key) => `upload to ${bucket.prefix}/${key}`),
  ]);
  await backend.close();
});

test.skipIf(isReal)(
  "retention classes choose the storage class, also of what is resumed",
  async () => {
    const storageClasses = { audit: "STANDARD_IA" };
    const backend = await bucket.open({ storageClasses, encryption: { kind: "s3" } });
    const classOf = async (address: string) => {
      const objects = await place.double?.objects();
      const found = objects?.find(({ key }) => key.endsWith(address.slice("blake3:".length)));
      return found?.storageClass;
    };
    const small = await put(backend, sampleBytes(10), { retentionClass: "audit" });
    expect(await classOf(small.address)).toBe("STANDARD_IA");
    const other = await put(backend, sampleBytes(11), { retentionClass: "standard" });
    expect(await classOf(other.address)).toBe("STANDARD");
    const claimed = await put(backend, manyBytes(17 * MIB), {
      retentionClass: "audit",
      claimed: true,
    });
    expect(await classOf(claimed.address)).toBe("STANDARD_IA");
    const staged = await backend.stage({ lease: "test", retentionClass: "audit" });
    await staged.write(sampleBytes(12));
    await staged.sync();
    await backend.close();
    const later = await bucket.open({ storageClasses });
    const { address } = await (
      await later.resume(staged.id)
    ).commit(await addressOf(sampleBytes(12)));
    expect(await classOf(address)).toBe("STANDARD_IA");
    await later.close();
  },
);

test("a store without checksums and conditions is served too", async () => {
  const backend = await bucket.open({ checksums: "when_required", conditionalWrites: false });
  for (const claimed of [true, false]) {
    for (const size of [1000, 20 * MIB]) {
      const bytes = manyBytes(size, size + Number(claimed));
      const { address } = await put(backend, bytes, { claimed });
      expect(await put(backend, bytes, { claimed })).toMatchObject({ existed: true });
      assertSameBytes(await joined(backend.open(address)), bytes);
    }
  }
  expect(await stagedIn(backend)).toEqual([]);
  await backend.close();
});
