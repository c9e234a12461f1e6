import { startS3DoubleProcess, type S3DoubleProcess } from "@store/testing/s3-double-process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sandboxWithServer } from "./server.ts";
import { objectFiles } from "./several-backends.ts";
import { runBuiltStore, Sandbox } from "./store.ts";
import { describeTree } from "./trees.ts";

runBuiltStore();

interface Located {
  readonly objects: readonly {
    readonly content_address: string;
    readonly copies: readonly {
      readonly backend: string;
      readonly tier: string;
      readonly restore: string;
      readonly restored_until?: string;
    }[];
  }[];
}

let double: S3DoubleProcess;
let prefixes = 0;

beforeAll(async () => {
  double = await startS3DoubleProcess();
});
afterAll(() => double.close());

/** The settings of an instance with a bucket of its own, and a disk where one is asked for. */
function storageOf(placement: object, others: object = {}): { prefix: string; document: string } {
  prefixes += 1;
  const prefix = `cli-${prefixes}`;
  const { endpoint, region, bucket, credentials } = double;
  const place = {
    kind: "s3",
    bucket,
    prefix,
    region,
    endpoint,
    path_style: true,
    credentials: {
      access_key_id: credentials.accessKeyId,
      secret_access_key: credentials.secretAccessKey,
    },
  };
  return {
    prefix,
    document: JSON.stringify({ backends: { bucket: place, ...others }, placement }),
  };
}

function keyOf(prefix: string, address: string): string {
  const hex = address.replace("blake3:", "");
  return `${prefix}/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
}

/** How often a verb was asked for below a prefix. */
async function asked(operation: string, prefix: string): Promise<number> {
  const requests = await double.requests();
  return requests.filter((one) => one.operation === operation && one.key.startsWith(prefix)).length;
}

describe("a package in Glacier", () => {
  it("is refused, asked for once, pulled while it is restored, and refused again", async () => {
    const { prefix, document } = storageOf({ primary: "bucket" });
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a", "storage.json": document });
    sandbox.env["STORE_STORAGE_FILE"] = sandbox.path("storage.json");
    await sandbox.ok("push", "tree", "acme/app@1.0.0");
    const located = async () => {
      const { objects } = await sandbox.json<Located>("objects", "locate", "acme/app");
      return objects[0]?.copies[0];
    };
    const { objects } = await sandbox.json<Located>("objects", "locate", "acme/app");
    const key = keyOf(prefix, objects[0]?.content_address ?? "");
    await double.archiveObject(key);

    const refused = await sandbox.store(["pull", "acme/app", "out"]);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain("store objects restore");
    expect(await located()).toMatchObject({ tier: "archive", restore: "none" });

    const asking = ["objects", "restore", "acme/app", "--days", "2", "--speed", "bulk"];
    expect((await sandbox.ok(...asking)).stdout).toMatch(/^1 object asked for/);
    expect(await asked("RestoreObject", prefix)).toBe(1);
    expect(await located()).toMatchObject({ tier: "archive", restore: "requested" });
    expect((await sandbox.ok("objects", "locate", "acme/app")).stdout).toContain("restoring");

    await double.finishRestore(key);
    await sandbox.ok("objects", "verify");
    expect(await located()).toMatchObject({
      restore: "restored",
      restored_until: expect.stringMatching(/T00:00:00.000Z$/),
    });
    await sandbox.ok("pull", "acme/app", "out");
    expect(await describeTree(sandbox.path("out"))).toEqual(
      await describeTree(sandbox.path("tree")),
    );
    await double.expireRestore(key);
    expect((await sandbox.store(["pull", "acme/app", "again"])).exitCode).toBe(4);
    await sandbox.ok("objects", "verify", "--restart");
    expect(await located()).toMatchObject({ tier: "archive", restore: "none" });
    await sandbox.ok("replay", "--check");
  });
});

describe("a disk that is emptied into a bucket", () => {
  it("by commands that are killed leaves every file where it can be read", async () => {
    const disk = { kind: "local", path: "disk" };
    const { prefix, document } = storageOf({ primary: "bucket" }, { disk });
    await using sandbox = await Sandbox.create();
    const first = JSON.stringify({ backends: { disk }, placement: { primary: "disk" } });
    const small = Array.from({ length: 60 }, (_, at) => [`tree/${at}`, `file ${at}`] as const);
    const large = Buffer.alloc(18_000_000, "large, ");
    await sandbox.write({ ...Object.fromEntries(small), "tree/large": large, "first.json": first });
    sandbox.env["STORE_STORAGE_FILE"] = sandbox.path("first.json");
    await sandbox.ok("push", "tree", "acme/app@1.0.0");

    await sandbox.write({ "storage.json": document });
    sandbox.env["STORE_STORAGE_FILE"] = sandbox.path("storage.json");
    const emptying = ["objects", "evacuate", "--from", "disk", "--concurrency", "1"];
    for (const copies of [3, 25]) {
      const { child, answer } = sandbox.start(...emptying);
      const moved = () => asked("PutObject", `${prefix}/blake3/`);
      const before = await moved();
      await expect
        .poll(moved, { timeout: 20_000, interval: 5 })
        .toBeGreaterThanOrEqual(Math.min(60, before + copies));
      child.kill("SIGKILL");
      await answer;
    }
    await sandbox.ok("verify", "acme/app");
    const { stdout } = await sandbox.ok(...emptying);
    expect(stdout).toMatch(/: no problem\n$/);
    expect(await objectFiles(sandbox.path("disk"))).toEqual(new Map());
    await sandbox.ok("pull", "acme/app", "out");
    expect(await describeTree(sandbox.path("out"))).toEqual(
      await describeTree(sandbox.path("tree")),
    );
    await sandbox.ok("objects", "verify", "--restart");
    await sandbox.ok("replay", "--check");
  });
});

describe("a pull whose reads are redirected", () => {
  it("takes large files from the bucket, small ones from the server, and verifies both", async () => {
    const { prefix, document } = storageOf({ primary: "bucket" });
    await using settings = await Sandbox.create();
    await settings.write({ "storage.json": document });
    await using site = await sandboxWithServer({
      STORE_STORAGE_FILE: settings.path("storage.json"),
      STORE_REDIRECT_READS: "1000000",
      STORE_OBJECT_MEMORY_BYTES: "0",
    });
    const { sandbox } = site;
    const large = Buffer.alloc(5_000_000, "large, ");
    await sandbox.write({ "tree/small": "small", "tree/large": large });
    await sandbox.ok("push", "tree", "acme/app@1.0.0");
    await double.forgetRequests();
    await sandbox.ok("pull", "acme/app", "out");
    expect(await describeTree(sandbox.path("out"))).toEqual(
      await describeTree(sandbox.path("tree")),
    );
    const reads = (await double.requests()).filter(({ operation }) => operation === "GetObject");
    expect(reads).toHaveLength(2);

    const { objects } = await sandbox.json<Located>("objects", "locate", "acme/app", "large");
    const key = keyOf(prefix, objects[0]?.content_address ?? "");
    // Nothing between the bucket and the client looks at these bytes but the client.
    await double.corruptObject(key, 4_000_000);
    const corrupt = await sandbox.store(["pull", "acme/app", "corrupt"]);
    expect(corrupt.exitCode).toBe(6);
    await double.corruptObject(key, 4_000_000);
    await double.addFault({ operation: "GetObject", effect: "reset-answer", afterBytes: 900_000 });
    await sandbox.ok("pull", "acme/app", "cut");
    expect(await describeTree(sandbox.path("cut"))).toEqual(
      await describeTree(sandbox.path("tree")),
    );
    // What lies in an archive is no place to send anybody to.
    await double.archiveObject(key);
    const archived = await sandbox.store(["pull", "acme/app", "archived"]);
    expect(archived.exitCode).toBe(4);
    expect(archived.stderr).toContain('Ask for it with "store objects restore');
    await sandbox.ok("objects", "restore", "acme/app", "--days", "1");
    const awaited = await sandbox.store(["pull", "acme/app", "awaited"]);
    expect(awaited.exitCode).toBe(4);
    expect(awaited.stderr).toContain("It was asked for; read it when it has come.");
    expect(awaited.stderr).not.toContain("Ask for it");
  });

  it("is right where the bucket's copy is damaged and another is whole, and that is said", async () => {
    const disk = { kind: "local", path: "disk" };
    const { prefix, document } = storageOf({ primary: "bucket", mirrors: ["disk"] }, { disk });
    await using settings = await Sandbox.create();
    await settings.write({ "storage.json": document });
    await using site = await sandboxWithServer({
      STORE_STORAGE_FILE: settings.path("storage.json"),
      STORE_REDIRECT_READS: "1000000",
    });
    const { sandbox } = site;
    await sandbox.write({ "tree/large": Buffer.alloc(3_000_000, "large, ") });
    await sandbox.ok("push", "tree", "acme/app@1.0.0");
    await sandbox.ok("objects", "replicate", "--to", "disk");
    const { objects } = await sandbox.json<Located>("objects", "locate", "acme/app", "large");
    await double.corruptObject(keyOf(prefix, objects[0]?.content_address ?? ""), 2_000_000);
    await sandbox.ok("pull", "acme/app", "out");
    expect(await describeTree(sandbox.path("out"))).toEqual(
      await describeTree(sandbox.path("tree")),
    );
    const damaged = async () => (await sandbox.ok("backends")).stdout;
    await expect.poll(damaged, { timeout: 10_000 }).toMatch(/^bucket +primary +s3 +1 /m);
    await sandbox.ok("objects", "replicate", "--to", "bucket");
    expect(await damaged()).toMatch(/^bucket +primary +s3 +0 /m);
  });
});
