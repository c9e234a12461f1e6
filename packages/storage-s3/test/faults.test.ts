import { addressOf, gathered, joined, sampleBytes } from "@store/storage/conformance";
import { startS3Double, type S3Double, type S3Fault } from "@store/testing/s3-double";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Bucket } from "./lib/bucket.ts";
import { assertSameBytes, manyBytes, MIB, put, stagedIn, sweep } from "./lib/bytes.ts";

let double: S3Double;
let bucket: Bucket;

beforeAll(async () => {
  double = await startS3Double();
});
afterAll(async () => double.close());
beforeEach(() => {
  bucket = new Bucket(double);
});
afterEach(async () => {
  await double.clearFaults();
  await double.setClockOffset(0);
  await bucket.dispose();
});

const writing: readonly [string, S3Fault][] = [
  [
    "a reset in a part's body",
    { operation: "UploadPart", effect: "reset-request", afterBytes: 3e6 },
  ],
  ["a reset in a Put's body", { operation: "PutObject", effect: "reset-request", afterBytes: 500 }],
  ["a lost answer to a Put", { operation: "PutObject", effect: "lose-answer" }],
  ["a lost answer to a part", { operation: "UploadPart", effect: "lose-answer" }],
  ["a lost answer to a copy", { operation: "UploadPartCopy", effect: "lose-answer" }],
  ["a lost answer to a Create", { operation: "CreateMultipartUpload", effect: "lose-answer" }],
  ["a lost answer to a Complete", { operation: "CompleteMultipartUpload", effect: "lose-answer" }],
  [
    "an error in a Complete of 200",
    { operation: "CompleteMultipartUpload", effect: "error-in-body", code: "InternalError" },
  ],
  [
    "an error in a copy of 200",
    { operation: "UploadPartCopy", effect: "error-in-body", code: "InternalError" },
  ],
  ["500", { effect: "answer", code: "InternalError", times: 3 }],
  ["503", { effect: "answer", code: "SlowDown", times: 3 }],
  ["a conflict of conditions", { effect: "answer", code: "ConditionalRequestConflict", times: 2 }],
];

test.each(writing)("%s does no harm to what is written", async (_, fault) => {
  const backend = await bucket.open();
  for (const [size, claimed] of [
    [1000, false],
    [18 * MIB, true],
    [18 * MIB, false],
  ] as const) {
    const bytes = manyBytes(size, size + Number(claimed));
    await double.addFault(fault);
    const { address } = await put(backend, bytes, { claimed });
    await double.clearFaults();
    assertSameBytes(await joined(backend.open(address)), bytes);
    await backend.remove(address);
  }
  // A Create whose answer was lost leaves an upload that nobody knows of.
  await sweep(backend);
  expect(await stagedIn(backend)).toEqual([]);
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

const reading: readonly [string, S3Fault][] = [
  ["a reset at the first byte", { effect: "reset-answer", afterBytes: 0 }],
  ["a reset in the middle", { effect: "reset-answer", afterBytes: 3e6 + 1 }],
  ["resets again and again", { effect: "reset-answer", afterBytes: 1e6 + 7, times: 4 }],
  ["a lost answer", { effect: "lose-answer" }],
  ["503 SlowDown", { effect: "answer", code: "SlowDown", times: 2 }],
];

test.each(reading)("%s does no harm to what is read", async (_, fault) => {
  const backend = await bucket.open();
  const bytes = manyBytes(5 * MIB + 3);
  const { address } = await put(backend, bytes);
  for (const reuseChunks of [false, true]) {
    await double.addFault({ operation: "GetObject", ...fault });
    const copies: Uint8Array[] = [];
    for await (const chunk of backend.open(address, { reuseChunks })) {
      copies.push(Uint8Array.from(chunk));
    }
    expect(Buffer.compare(Buffer.concat(copies), bytes)).toBe(0);
    await double.clearFaults();
  }
  await double.addFault({ operation: "GetObject", ...fault });
  const range = { start: 1000, end: 5 * MIB };
  assertSameBytes(await joined(backend.open(address, { range })), bytes.subarray(1000, 5 * MIB));
  await backend.close();
});

test("a read that breaks off for ever ends with an error, and one of another version too", async () => {
  const backend = await bucket.open({ attempts: 2 });
  const bytes = manyBytes(3 * MIB);
  const { address } = await put(backend, bytes);
  await double.addFault({
    operation: "GetObject",
    effect: "reset-answer",
    afterBytes: 0,
    times: 9,
  });
  const broken = joined(backend.open(address));
  await expect(broken).rejects.toMatchObject({ code: "storage_unavailable" });
  await double.clearFaults();
  await double.addFault({ operation: "GetObject", effect: "reset-answer", afterBytes: 2e6 });
  const replaced = async () => {
    for await (const _ of backend.open(address)) {
      const staged = await backend.stage({ lease: "test" });
      await staged.write(manyBytes(3 * MIB, 2));
      await backend.remove(address);
      await staged.commit(address).catch(() => undefined);
    }
  };
  await expect(replaced()).rejects.toMatchObject({ code: "storage_unavailable" });
  await backend.close();
});

test("an object that was cut or lost is told by its reader, not ended well", async () => {
  const backend = await bucket.open({ attempts: 2 });
  const bytes = manyBytes(3 * MIB);
  const { address } = await put(backend, bytes);
  const key = `${bucket.prefix}/blake3/${address.slice(7, 9)}/${address.slice(9, 11)}/${address.slice(7)}`;
  await double.truncateObject(key, 2 * MIB);
  const read = async () => (await joined(backend.open(address))).length;
  expect(await read().catch(() => "failed")).not.toBe(bytes.length);
  const range = { start: 0, end: 3 * MIB };
  await expect(joined(backend.open(address, { range }))).rejects.toThrow(/./);
  await double.loseObject(key);
  await expect(read()).rejects.toMatchObject({ code: "object_not_found" });
  await backend.close();
});

test("a store that stays away is told as such, within the attempts, and nothing is left", async () => {
  const backend = await bucket.open({ attempts: 2 });
  const bytes = manyBytes(18 * MIB);
  await double.addFault({ operation: "UploadPart", effect: "answer", code: "SlowDown", times: 99 });
  const failing = put(backend, bytes, { claimed: true });
  await expect(failing).rejects.toMatchObject({ code: "storage_unavailable" });
  await double.clearFaults();
  await sweep(backend);
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});

test("a commit that failed may be called again", async () => {
  const backend = await bucket.open({ attempts: 1 });
  for (const [size, operation] of [
    [1000, "PutObject"],
    [18 * MIB, "CompleteMultipartUpload"],
    [18 * MIB, "UploadPartCopy"],
    [18 * MIB, "CreateMultipartUpload"],
  ] as const) {
    const bytes = manyBytes(size);
    const staged = await backend.stage({ lease: "test" });
    await staged.write(bytes);
    if (size > MIB) await staged.sync();
    await double.addFault({ operation, effect: "answer", code: "InternalError" });
    const address = await addressOf(bytes);
    await expect(staged.commit(address)).rejects.toMatchObject({ code: "storage_unavailable" });
    await staged.commit(address);
    assertSameBytes(await joined(backend.open(address)), bytes);
    await backend.remove(address);
    expect(await bucket.leftovers()).toEqual([]);
  }
  await backend.close();
});

test("a listing that breaks off goes on, and comes in pages", async () => {
  const backend = await bucket.open();
  const all = Array.from({ length: 30 }, (_, index) => sampleBytes(10, index + 1));
  const held = await Promise.all(all.map((bytes) => put(backend, bytes)));
  await double.addFault({ operation: "ListObjectsV2", effect: "reset-answer", afterBytes: 100 });
  const listed = await gathered(backend.enumerate());
  expect(listed.map(({ address }) => address)).toEqual(held.map((one) => one.address).toSorted());
  await backend.close();
});

describe("the clock and the credentials", () => {
  test.each([20, -20])("a clock that is %i minutes off is corrected", async (minutes) => {
    await double.setClockOffset(minutes * 60_000);
    const backend = await bucket.open();
    const { address } = await put(backend, sampleBytes(1000));
    expect(await backend.stat(address)).toBeDefined();
    const url = await backend.presign(address);
    expect((await fetch(url)).status).toBe(200);
    await double.setClockOffset(-minutes * 60_000);
    expect(await backend.stat(address)).toBeDefined();
    await backend.remove(address);
    await backend.close();
  });

  test("a credential that has expired is renewed, once for all requests", async () => {
    let given = 0;
    const credentials = async () => {
      given++;
      const accessKeyId = `AKIDRENEWED${given}`;
      const secretAccessKey = `secret-${given}`;
      const sessionToken = `token-${given}`;
      await double.addCredential({ accessKeyId, secretAccessKey, sessionToken });
      return { accessKeyId, secretAccessKey, sessionToken };
    };
    const backend = await bucket.open({ credentials });
    const { address } = await put(backend, sampleBytes(1000));
    expect(given).toBe(1);
    await double.expireCredential("AKIDRENEWED1");
    const stats = Array.from({ length: 20 }, () => backend.stat(address));
    for (const stat of await Promise.all(stats)) expect(stat?.sizeBytes).toBe(1000);
    expect(given).toBe(2);
    await double.expireCredential("AKIDRENEWED2");
    const bytes = manyBytes(18 * MIB);
    await put(backend, bytes, { claimed: true });
    expect(given).toBe(3);
    await backend.close();
  });

  test("credentials that are refused are told as such, without a secret", async () => {
    const secretAccessKey = "a-secret-that-nobody-knows";
    const { accessKeyId } = double.credentials;
    const opening = bucket.open({ credentials: { accessKeyId, secretAccessKey } });
    const failure: unknown = await opening.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "permission_denied" });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(secretAccessKey);
    const noBucket = bucket.open({ bucket: "no-such-bucket" });
    await expect(noBucket).rejects.toMatchObject({ code: "storage_unavailable" });
  });
});

test("health is a real try, with the reason", async () => {
  const backend = await bucket.open({ attempts: 1 });
  expect(await backend.health()).toEqual({ healthy: true });
  await double.addFault({ operation: "PutObject", effect: "answer", code: "AccessDenied" });
  expect(await backend.health()).toMatchObject({
    healthy: false,
    reason: expect.stringMatching(/AccessDenied, status 403.*policy/),
  });
  await double.loseObject(`${bucket.prefix}/format.json`);
  expect(await backend.health()).toMatchObject({ healthy: false });
  expect(await bucket.leftovers()).toEqual([]);
  await backend.close();
});
