import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import dns from "node:dns";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorageBackend } from "@store/storage";
import { addressOf, joined, sampleBytes } from "@store/storage/conformance";
import { openS3Storage } from "@store/storage-s3";
import { type S3Double, startS3Double } from "@store/testing/s3-double";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Bucket } from "./lib/bucket.ts";
import { addressWith, assertSameBytes, manyBytes, MIB, put } from "./lib/bytes.ts";

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
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await bucket.dispose();
});

/** Every object below the prefix, as it lies there. */
async function held() {
  const objects = await double.objects();
  return objects.filter(({ key }) => key.startsWith(`${bucket.prefix}/`));
}

/** Writes by every way that there is, and leaves something staged by each. */
async function writeAllWays(backend: StorageBackend): Promise<void> {
  await put(backend, manyBytes(1000));
  for (const claimed of [true, false]) {
    const bytes = manyBytes(18 * MIB, Number(claimed) + 1);
    await put(backend, bytes, { claimed });
    const claim = claimed ? { claim: await addressOf(sampleBytes(9)) } : {};
    const staged = await backend.stage({ lease: "test", ...claim });
    await staged.write(bytes);
    await staged.sync();
  }
}

describe("encryption", () => {
  const keyId = "arn:aws:kms:eu-central-1:111122223333:key/store";
  const kinds = [
    ["keys of the store", { kind: "s3" }, { algorithm: "AES256" }],
    ["the account's key", { kind: "kms" }, { algorithm: "aws:kms" }],
    [
      "a key of one's own",
      { kind: "kms", keyId, bucketKey: true },
      { algorithm: "aws:kms", keyId, bucketKey: true },
    ],
  ] as const;

  test.each(kinds)("with %s is asked for by every write", async (_, encryption, expected) => {
    const backend = await bucket.open({ encryption });
    await writeAllWays(backend);
    await backend.close();
    const objects = await held();
    // Objects, pieces, records of uploads and the format file.
    expect(objects.length).toBeGreaterThanOrEqual(7);
    for (const { encryption: has } of objects) expect(has).toMatchObject(expected);
  });

  test("is left to the bucket where nothing is said", async () => {
    const backend = await bucket.open();
    await writeAllWays(backend);
    await backend.close();
    for (const { encryption } of await held()) expect(encryption).toEqual({ algorithm: "AES256" });
  });
});

describe("checksums", () => {
  const cases = [
    ["CRC32 of the parts by default", {}, "CRC32"],
    ["SHA-256 of the parts where that is asked for", { partChecksum: "sha256" }, "SHA256"],
  ] as const;

  test.each(cases)("are the %s", async (_, options, algorithm) => {
    const backend = await bucket.open(options);
    for (const claimed of [true, false]) {
      const { address } = await put(backend, manyBytes(18 * MIB, 3), { claimed });
      const [object] = (await held()).filter(({ key }) => key.endsWith(address.slice(7)));
      expect(object?.checksum).toMatchObject({ algorithm, type: "COMPOSITE" });
      await backend.remove(address);
    }
    await backend.close();
  });

  test("of the new kind are not sent where a store lacks them", async () => {
    const backend = await bucket.open({ checksums: "when_required" });
    for (const size of [1000, 18 * MIB]) {
      const { address } = await put(backend, manyBytes(size, 4), { claimed: true });
      const [object] = (await held()).filter(({ key }) => key.endsWith(address.slice(7)));
      // What S3 makes of its own accord.
      expect(object?.checksum?.algorithm ?? "CRC64NVME").toBe("CRC64NVME");
    }
    await backend.close();
  });
});

test("the bucket may stand in the host's name", async () => {
  const { lookup } = dns;
  const asked: string[] = [];
  vi.spyOn(dns, "lookup").mockImplementation((name: string, ...rest: unknown[]) => {
    asked.push(name);
    Reflect.apply(lookup, dns, ["127.0.0.1", ...rest]);
  });
  const endpoint = double.endpoint.replace("127.0.0.1", "localhost");
  const backend = await bucket.open({ endpoint, pathStyle: false });
  const bytes = manyBytes(18 * MIB);
  for (const claimed of [true, false]) {
    const { address } = await put(backend, bytes, { claimed });
    assertSameBytes(await joined(backend.open(address)), bytes);
    expect(new URL(await backend.presign(address)).hostname).toBe(`${double.bucket}.localhost`);
    await backend.remove(address);
  }
  await backend.close();
  expect(new Set(asked)).toEqual(new Set([`${double.bucket}.localhost`]));
});

describe("credentials come from", () => {
  const names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"];
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-s3-"));
    for (const name of names) vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
    vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  async function open(profile?: string): Promise<StorageBackend> {
    const { credentials: _, ...options } = bucket.options;
    return openS3Storage({ ...options, ...(profile === undefined ? {} : { profile }) });
  }

  test("the environment", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", double.credentials.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", double.credentials.secretAccessKey);
    const backend = await open();
    expect(await backend.health()).toEqual({ healthy: true });
    await backend.close();
  });

  test("a profile of the shared files", async () => {
    const { accessKeyId, secretAccessKey } = double.credentials;
    const team = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}`;
    await writeFile(join(folder, "credentials"), `[team]\n${team}\n`);
    const backend = await open("team");
    expect(await backend.health()).toEqual({ healthy: true });
    await backend.close();
    await expect(open("nobody")).rejects.toMatchObject({
      code: "permission_denied",
      message: expect.stringMatching(/open the bucket store-test .*No credentials were found/),
    });
  });

  test("a container, and are asked for again when they have expired", async () => {
    let given = 0;
    const agent = createServer((_request, response) => {
      given++;
      const [accessKeyId, secretAccessKey] = [`AKIDCONTAINER${given}`, `secret-${given}`];
      const sessionToken = `token-${given}`;
      void double.addCredential({ accessKeyId, secretAccessKey, sessionToken }).then(() =>
        response.end(
          JSON.stringify({
            AccessKeyId: accessKeyId,
            SecretAccessKey: secretAccessKey,
            Token: sessionToken,
            Expiration: new Date(Date.now() + 3_600_000).toISOString(),
          }),
        ),
      );
    });
    agent.listen(0, "127.0.0.1");
    await once(agent, "listening");
    const { port } = agent.address() as AddressInfo;
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `http://127.0.0.1:${port}/keys`);
    const backend = await open();
    const { address } = await put(backend, sampleBytes(1000));
    expect(given).toBe(1);
    await double.expireCredential("AKIDCONTAINER1");
    const stats = Array.from({ length: 20 }, () => backend.stat(address));
    for (const stat of await Promise.all(stats)) expect(stat?.sizeBytes).toBe(1000);
    expect(given).toBe(2);
    await backend.close();
    agent.close();
    agent.closeAllConnections();
  });
});

test("more objects than a page of a listing has are enumerated, from any of them on", async () => {
  const backend = await bucket.open();
  const addresses = Array.from({ length: 1_003 }, (_, index) =>
    addressWith(index.toString(16).padStart(8, "0")),
  );
  for (let at = 0; at < addresses.length; at += 59) {
    const some = addresses.slice(at, at + 59).map(async (address) => {
      const staged = await backend.stage({ lease: "test" });
      await staged.write(sampleBytes(4));
      await staged.commit(address);
    });
    await Promise.all(some);
  }
  await double.forgetRequests();
  const all = (await Array.fromAsync(backend.enumerate())).map(({ address }) => address);
  expect(all).toEqual(addresses);
  const lists = (await double.requests()).map(({ operation }) => operation);
  // Two pages of the one algorithm, and one of the other, which has none.
  expect(lists).toEqual(Array(3).fill("ListObjectsV2"));
  const rest = await Array.fromAsync(backend.enumerate(addresses[1_001]));
  expect(rest.map(({ address }) => address)).toEqual(addresses.slice(1_002));
  await backend.close();
  for (const { key } of await held()) await double.loseObject(key);
});
