import { createHash } from "node:crypto";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";

import { createClient, type StoreClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import type { ContentAddress } from "@store/identity";
import { createTestDatabase } from "@store/testing/postgres";
import { account } from "@store/testing/prove";
import type { S3DoubleProcess } from "@store/testing/s3-double-process";
import { describe, expect, it } from "vitest";

import { buildStore } from "./built.ts";
import { openBucket, type TestBucket } from "./cluster/bucket.ts";
import { openCluster, type Cluster } from "./cluster/cluster.ts";
import { contentOf } from "./load/contents.ts";
import { findings, prepare } from "./load/judge.ts";

const kibibyte = 1024;
/** Served from memory once verified; verified before it is sent; verified while it is sent. */
const sizes = { small: 10 * kibibyte, medium: 300 * kibibyte, large: 5000 * kibibyte };
const harms = ["lost", "truncated", "corrupt at its beginning", "corrupt at its end"] as const;
const patience = { timeout: 30_000, interval: 100 };

interface Kept {
  readonly path: string;
  readonly address: ContentAddress;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly harm: (typeof harms)[number];
}

/** Two servers whose objects are in a bucket, with a mirror on disk. */
interface World extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly bucket: TestBucket;
  readonly double: S3DoubleProcess;
  readonly client: StoreClient;
  readonly token: string;
  readonly packageId: string;
  readonly files: readonly Kept[];
}

describe("a mirror", () => {
  it("stands in for a primary that loses, cuts and corrupts, and says so once", async () => {
    await using world = await openWorld();
    const { cluster, double, files, client, bucket } = world;
    await allCopied(world);
    for (const file of files) await harm(double, bucket, file);

    const first = await readAll(world, 4);
    const wrong = first.filter(({ outcome }) => outcome === "wrong");
    expect(wrong).toEqual([]);
    // What is held back until it is verified is never cut.
    const cut = first.filter(({ outcome }) => outcome === "cut");
    expect(cut.filter(({ file }) => file.sizeBytes < sizes.large)).toEqual([]);
    await expect
      .poll(async () => (await changes(client, "v1.object.damaged")).length, patience)
      .toBe(files.length);
    const second = await readAll(world, 1);
    expect(second.filter(({ outcome }) => outcome !== "right")).toEqual([]);
    const damaged = await changes(client, "v1.object.damaged");
    expect(damaged.toSorted()).toEqual(
      files
        .map(({ address, harm: what }) => {
          return `object:${address} primary ${what === "lost" ? "missing" : "corrupt"}`;
        })
        .toSorted(),
    );
    for (const { path } of files) {
      const { verified } = await client.getFile(world.packageId, path, { range: { start: 1 } });
      expect(verified).toBe("none");
    }
    expect(await statuses(world)).toEqual(new Set(["mirror ok", "primary bad"]));

    const { site } = cluster;
    expect(await site.store("objects", "verify", "--restart")).toMatchObject({ exitCode: 6 });
    expect(await site.store("objects", "replicate", "--to", "primary")).toMatchObject({
      exitCode: 0,
    });
    expect(await statuses(world)).toEqual(new Set(["mirror ok", "primary ok"]));
    expect(await site.store("objects", "verify", "--restart")).toMatchObject({ exitCode: 0 });
    expect(await changes(client, "v1.object.damaged")).toHaveLength(files.length);
    const whole = await readAll(world, 1);
    expect(whole.filter(({ outcome }) => outcome !== "right")).toEqual([]);
    account("a mirror of a primary that is harmed", {
      objects: files.length,
      reads: first.length,
      cut: cut.length,
    });
    expect(await ended(cluster)).toEqual([]);
  });

  it("cannot hide that every copy is harmed: no read of them ends well", async () => {
    await using world = await openWorld();
    const { cluster, double, files, bucket } = world;
    await allCopied(world);
    for (const file of files) {
      await harm(double, bucket, file);
      await harmOnDisk(bucket, file);
    }
    for (const reads of [await readAll(world, 2), await readAll(world, 1)]) {
      expect(reads.filter(({ outcome }) => outcome !== "cut")).toEqual([]);
    }
    // A read that both gave parts of blames neither; one after it finds the copy that is bad.
    const readAndLook = async (): Promise<Set<string>> => {
      await readAll(world, 1);
      return statuses(world);
    };
    await expect.poll(readAndLook, patience).toEqual(new Set(["mirror bad", "primary bad"]));
    const mending = await cluster.site.store("objects", "replicate", "--to", "primary");
    expect(mending.exitCode).toBe(6);
    for (const index of cluster.running()) await cluster.end(index, "SIGTERM");
    expect(cluster.wrong).toEqual([]);
  });

  it("stands in for a primary that fails, which is said once, as is that it recovers", async () => {
    await using world = await openWorld();
    const { cluster, double, client } = world;
    await allCopied(world);
    await double.addFault({ effect: "answer", code: "InternalError", times: Infinity });
    const reads = await readAll(world, 2);
    expect(reads.filter(({ outcome }) => outcome !== "right")).toEqual([]);
    await expect.poll(() => changes(client, "v1.backend.failed"), patience).toHaveLength(1);
    await double.clearFaults();
    await expect.poll(() => changes(client, "v1.backend.recovered"), patience).toHaveLength(1);
    expect(await changes(client, "v1.backend.failed")).toHaveLength(1);
    expect(await changes(client, "v1.object.damaged")).toEqual([]);
    expect(await ended(cluster)).toEqual([]);
  });
});

async function openWorld(): Promise<World> {
  const stack = new AsyncDisposableStack();
  const database = await createTestDatabase();
  stack.defer(() => database.drop());
  const built = stack.use(await buildStore());
  const bucket = stack.use(
    await openBucket({
      others: { mirror: { kind: "local", path: "mirror" } },
      placement: { primary: "primary", mirrors: ["mirror"] },
    }),
  );
  const { double } = bucket;
  if (double === undefined) throw new Error("Nobody harms the objects of a real server.");
  const env = {
    ...bucket.env,
    STORE_LOG_LEVEL: "error",
    STORE_DATABASE_URL: database.url,
    // Otherwise small objects are read from memory.
    STORE_OBJECT_MEMORY_BYTES: "0",
  };
  const cluster = stack.use(await openCluster({ servers: 2, env, program: built.program }));
  const [url = ""] = cluster.urls;
  const { token } = await prepare({ url, setupToken: cluster.setupToken });
  const transport = nodeTransport();
  stack.defer(() => transport.close());
  const client = createClient({ url, credential: { token }, transport });
  const { id } = await client.createPackage({ namespace: "load", name: "mirrored", version: "1" });
  const files: Kept[] = [];
  for (const [name, sizeBytes] of Object.entries(sizes)) {
    for (const what of harms) {
      const path = `${name}/${what.replaceAll(" ", "-")}`;
      const { bytes, sha256 } = contentOf(path, sizeBytes);
      const { address } = await client.ingestFile(id, path, bytes);
      files.push({ path, address, sizeBytes, sha256, harm: what });
    }
  }
  await client.finalizePackage(id);
  return {
    cluster,
    bucket,
    double,
    client,
    token,
    packageId: id,
    files,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Waits until the background work has copied everything. */
async function allCopied(world: World): Promise<void> {
  await expect.poll(() => statuses(world), patience).toEqual(new Set(["mirror ok", "primary ok"]));
}

/** Where the copies are, each with what is known of it. */
async function statuses({ client, files }: World): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { address } of files) {
    const { copies } = await client.locateObject(address);
    if (copies.length < 2) found.add("too few");
    for (const { backend, status } of copies) {
      found.add(`${backend} ${status === "ok" ? "ok" : "bad"}`);
    }
  }
  return found;
}

async function harm(double: S3DoubleProcess, { prefix }: TestBucket, file: Kept): Promise<void> {
  const key = `${prefix}/${keyOf(file)}`;
  if (file.harm === "lost") await double.loseObject(key);
  else if (file.harm === "truncated") await double.truncateObject(key, file.sizeBytes - 100);
  else if (file.harm === "corrupt at its beginning") await double.corruptObject(key, 0);
  else await double.corruptObject(key, file.sizeBytes - 1);
}

/** Overwrites the last byte of the copy at the mirror. */
async function harmOnDisk({ folder }: TestBucket, file: Kept): Promise<void> {
  await using handle = await open(join(folder, "mirror", keyOf(file)), "r+");
  const at = file.sizeBytes - 1;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, at);
  await handle.write(Buffer.from([last.readUInt8() ^ 1]), 0, 1, at);
}

function keyOf({ address }: Kept): string {
  const hex = address.replace("blake3:", "");
  return `blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
}

interface Read {
  readonly file: Kept;
  /** `cut`: the answer has no valid end, or was a problem. `wrong`: it ended well and is not right. */
  readonly outcome: "right" | "cut" | "wrong";
}

/** Reads every file whole, from every server so often, all at once. */
async function readAll({ cluster, token, packageId, files }: World, times: number) {
  const asked = Array.from({ length: times }, () =>
    cluster.urls.flatMap((url) =>
      files.map(async (file): Promise<Read> => {
        const target = `${url}/api/v1/packages/${packageId}/files/${file.path}`;
        return { file, outcome: await read(target, token, file) };
      }),
    ),
  );
  return await Promise.all(asked.flat());
}

async function read(url: string, token: string, { sha256 }: Kept): Promise<Read["outcome"]> {
  const asked = request(url, { agent: false, headers: { authorization: `Bearer ${token}` } });
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const hash = createHash("sha256");
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) hash.update(chunk);
  } catch {
    return "cut";
  }
  if (!answer.complete || answer.statusCode !== 200) return "cut";
  return `sha256:${hash.digest("hex")}` === sha256 ? "right" : "wrong";
}

/** The events of a type, as their subject with what else they say. */
async function changes(client: StoreClient, type: string): Promise<string[]> {
  const { items } = await client.readEvents({ types: [type], limit: 1000 });
  return items.map(({ subject, payload }) => {
    const { backend, finding = "" } = payload as Readonly<Record<string, string>>;
    return `${subject} ${backend} ${finding}`;
  });
}

/** What is wrong once the servers have ended. */
async function ended(cluster: Cluster): Promise<string[]> {
  for (const index of cluster.running()) await cluster.end(index, "SIGTERM");
  return [...cluster.wrong, ...(await findings(cluster.site))];
}
