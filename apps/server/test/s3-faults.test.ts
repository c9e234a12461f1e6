import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ContentAddress } from "@store/identity";
import { contentAddress, digestBytes } from "@store/identity";
import { startS3Double, type S3Double, type S3Fault } from "@store/testing/s3-double";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { copiesOf, copyEvents, finish, leftovers, openS3World, type S3World } from "./s3-world.ts";

const mebibyte = 1024 * 1024;

/** What strikes the ways of one push, each of them soon after the other. */
const pushing: readonly (readonly [string, readonly S3Fault[]])[] = [
  [
    "requests are reset",
    [
      { operation: "PutObject", effect: "reset-request", afterBytes: 500, times: 2 },
      { operation: "UploadPart", effect: "reset-request", afterBytes: 1_000_000, times: 2 },
      { operation: "PutObject", effect: "reset-request", afterBytes: 2_000_000, skip: 4 },
    ],
  ],
  [
    "answers are lost",
    [
      { operation: "PutObject", effect: "lose-answer", times: 2 },
      { operation: "PutObject", effect: "lose-answer", skip: 4 },
      { operation: "UploadPart", effect: "lose-answer" },
      { operation: "UploadPartCopy", effect: "lose-answer" },
      { operation: "CreateMultipartUpload", effect: "lose-answer" },
      { operation: "CompleteMultipartUpload", effect: "lose-answer", times: 2 },
    ],
  ],
  [
    "the store has too much to do",
    [
      { effect: "answer", code: "SlowDown", times: 3 },
      { operation: "UploadPart", effect: "answer", code: "InternalError", times: 2 },
      { operation: "CompleteMultipartUpload", effect: "error-in-body", code: "InternalError" },
      { operation: "UploadPartCopy", effect: "error-in-body", code: "InternalError" },
    ],
  ],
];

const pulling: readonly S3Fault[] = [
  { operation: "GetObject", effect: "reset-answer", afterBytes: 5, times: 3 },
  { operation: "GetObject", effect: "answer", code: "SlowDown", times: 2 },
  { operation: "GetObject", effect: "lose-answer", skip: 1 },
  { operation: "GetObject", effect: "reset-answer", afterBytes: 3_000_000 },
  { operation: "HeadObject", effect: "answer", code: "InternalError", times: 2 },
];

/** What strikes works over many objects. */
const striking: readonly S3Fault[] = [
  { operation: "GetObject", effect: "reset-answer", afterBytes: 9_000, times: 4 },
  { operation: "PutObject", effect: "lose-answer", skip: 3, times: 2 },
  { operation: "UploadPart", effect: "reset-request", afterBytes: 100_000, skip: 1 },
  { operation: "CompleteMultipartUpload", effect: "lose-answer" },
  { operation: "DeleteObject", effect: "lose-answer", times: 3 },
  { operation: "HeadObject", effect: "answer", code: "SlowDown", skip: 4, times: 2 },
];

interface Sent {
  readonly address: ContentAddress;
  readonly content: Buffer;
}

let count = 0;

/** Bytes that nobody has sent before. */
function newBytes(sizeBytes: number): Buffer {
  count += 1;
  return Buffer.alloc(sizeBytes, `${count} of many, `);
}

/** Pushes a package in every way there is: small, in parts, in place, and as an upload. */
async function push({ client }: S3World): Promise<Sent[]> {
  count += 1;
  const { id } = await client.createPackage({
    namespace: "acme",
    name: "app",
    version: `${count}`,
  });
  const small = newBytes(10_000);
  const parted = newBytes(17 * mebibyte);
  const claimed = newBytes(17 * mebibyte);
  const uploaded = newBytes(6 * mebibyte);
  const claim = contentAddress((await digestBytes(claimed)).primary);
  const files = [
    await client.ingestFile(id, "small", small),
    await client.ingestFile(id, "parted", parted),
    await client.ingestFile(id, "claimed", claimed, { expect: { address: claim } }),
  ];
  const half = uploaded.length >> 1;
  const upload = await client.createUpload({ sizeBytes: uploaded.length });
  await client.appendUpload(upload.id, 0, uploaded.subarray(0, half));
  await client.appendUpload(upload.id, half, uploaded.subarray(half));
  files.push(await client.addFile(id, "uploaded", { upload: upload.id }));
  await client.finalizePackage(id);
  return [small, parted, claimed, uploaded].map((content, at) => {
    const address = files[at]?.address;
    if (address === undefined) throw new Error("Every file was added.");
    return { address, content };
  });
}

async function pushSmall({ client }: S3World, sizeBytes = 10_000): Promise<Sent> {
  count += 1;
  const { id } = await client.createPackage({
    namespace: "acme",
    name: "app",
    version: `${count}`,
  });
  const content = newBytes(sizeBytes);
  const { address } = await client.ingestFile(id, "small", content);
  return { address, content };
}

/** The objects that are not read right, whole or in part. */
async function misread({ client }: S3World, sent: readonly Sent[]): Promise<ContentAddress[]> {
  const wrong: ContentAddress[] = [];
  for (const { address, content } of sent) {
    const { body } = await client.openObject(address);
    const whole = Buffer.concat(await Array.fromAsync(body));
    const opened = await client.openObject(address, { range: { start: 50, end: 9_000 } });
    const part = Buffer.concat(await Array.fromAsync(opened.body));
    const isRight = whole.equals(content) && part.equals(content.subarray(50, 9_000));
    if (!isRight) wrong.push(address);
  }
  return wrong;
}

describe("over a network to S3 that fails", () => {
  let world: S3World;

  beforeAll(async () => {
    world = await openS3World({
      backends: {
        primary: { kind: "s3", prefix: "one", part_bytes: 5 * mebibyte },
      },
    });
  });
  afterEach(async () => {
    await world.double.clearFaults();
    await world.double.setClockOffset(0);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each(pushing)("a push is right when %s", async (_, faults) => {
    for (const fault of faults) await world.double.addFault(fault);
    const sent = await push(world);
    await world.double.clearFaults();
    expect(await misread(world, sent)).toEqual([]);
  });

  it("a pull is right whatever strikes it", async () => {
    const sent = await push(world);
    for (const fault of pulling) await world.double.addFault(fault);
    expect(await misread(world, sent)).toEqual([]);
  });

  it("clocks that differ by hours are none of the client's business", async () => {
    for (const hours of [3, -3]) {
      await world.double.setClockOffset(hours * 3_600_000);
      expect(await misread(world, [await pushSmall(world)])).toEqual([]);
    }
  });

  it("a bit that is turned over on its way is never sent as if it were right", async () => {
    const { client, double } = world;
    const { address, content } = await pushSmall(world, 3 * mebibyte);
    for (const atByte of [77, 2 * mebibyte]) {
      await double.addFault({ operation: "GetObject", effect: "corrupt-answer", atByte });
      const { body } = await client.openObject(address);
      const got = Array.fromAsync(body).then((chunks) => Buffer.concat(chunks));
      const outcome = await got.then(
        (bytes) => bytes.equals(content),
        () => "cut",
      );
      expect(outcome).not.toBe(false);
      await expect.poll(() => copiesOf(client, address)).toEqual(["primary corrupt hot none"]);
      // It was the network, which reading it once more finds out.
      await finish(client.verifyObjects({ restart: true }));
      expect(await copiesOf(client, address)).toEqual(["primary ok hot none"]);
    }
  });

  it("a store that refuses everything refuses pushes, and nothing is half there", async () => {
    const { client, double, server } = world;
    const { id } = await client.createPackage({ namespace: "acme", name: "late", version: "1" });
    const content = newBytes(10_000);
    await double.addFault({ effect: "answer", code: "AccessDenied", times: Infinity });
    const target = `/api/v1/packages/${id}/files/file`;
    const put = () => server.call("owner", target, { method: "PUT", body: String(content) });
    const refused = await put();
    // The keys are the server's: the caller is not told to ask for more scopes, or noted as refused.
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "storage_unavailable" });
    expect(server.refusals).toEqual([]);
    expect(server.failures.at(-1)).toMatchObject({ code: "permission_denied" });
    await expect
      .poll(() => copyEvents(client), { timeout: 5_000 })
      .toContain("failed primary permission_denied");
    await double.clearFaults();
    expect((await put()).status).toBe(201);
    expect((await world.registry.tendCopies()).recovered).toEqual(["primary"]);
    const answer = await server.call("owner", target);
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
  });

  it("nothing is left of all that failed", async () => {
    // What was staged lives as long as its process; another finds what is left of it.
    world.advance(3_600_000);
    const later = await world.placed({ primary: "primary" });
    await later.sweep();
    expect(await leftovers(world.double)).toEqual([]);
    expect((await world.registry.replay({ check: true })).differences).toEqual([]);
  });

  it("works over copies lose nothing", async () => {
    await using world = await openS3World({
      backends: {
        primary: { kind: "s3", prefix: "one" },
        other: { kind: "s3", prefix: "two" },
      },
    });
    const { client, double } = world;
    const sent = [await pushSmall(world, 17 * mebibyte)];
    while (sent.length < 20) sent.push(await pushSmall(world));
    const strike = async (): Promise<void> => {
      for (const fault of striking) await double.addFault(fault);
    };
    await strike();
    const copied = await finish(client.replicateObjects({ to: "other" }));
    expect(copied).toMatchObject({ problemCount: 0, done: true, changed: sent.length });
    await double.clearFaults();
    expect(await finish(client.verifyObjects({ restart: true }))).toMatchObject({
      problemCount: 0,
      objects: 2 * sent.length,
    });
    await strike();
    const evacuated = await finish(client.evacuateObjects({ from: "other" }));
    expect(evacuated).toMatchObject({ problemCount: 0, done: true });
    await double.clearFaults();
    const keys = (await double.objects()).map(({ key }) => key);
    expect(keys.filter((key) => key.startsWith("two/blake3/"))).toEqual([]);
    expect(await misread(world, sent)).toEqual([]);
    expect(await leftovers(double)).toEqual([]);
    expect((await world.registry.replay({ check: true })).differences).toEqual([]);
    expect(world.server.failures).toEqual([]);
  });
});

describe("with keys of a profile that end", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-s3-keys-"));
    const command = `cat ${join(folder, "keys.json")}`;
    const profile = `[profile renewed]\ncredential_process = ${command}\n`;
    await writeFile(join(folder, "config"), profile);
    vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "none"));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  async function issue(double: S3Double, name: string): Promise<string> {
    const accessKeyId = `ASIA${name.toUpperCase().padEnd(16, "X")}`;
    const secretAccessKey = `secret of ${name}`;
    const sessionToken = `session of ${name}`;
    await double.addCredential({ accessKeyId, secretAccessKey, sessionToken });
    const keys = {
      Version: 1,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: new Date(Date.now() + 3_600_000).toISOString(),
    };
    await writeFile(join(folder, "keys.json"), JSON.stringify(keys));
    return accessKeyId;
  }

  it("new ones are fetched, and nobody notices", async () => {
    const double = await startS3Double();
    const first = await issue(double, "first");
    const primary = { kind: "s3", prefix: "one", profile: "renewed" } as const;
    await using world = await openS3World({ backends: { primary }, double });
    const before = await pushSmall(world);
    const second = await issue(double, "second");
    await double.expireCredential(first);
    const after = await push(world);
    await issue(double, "third");
    await double.expireCredential(second);
    expect(await misread(world, [before, ...after])).toEqual([]);
    expect(await copyEvents(world.client)).toEqual([]);
    expect(world.server.failures).toEqual([]);
  });
});
