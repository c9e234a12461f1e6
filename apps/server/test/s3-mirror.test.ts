import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { ContentAddress } from "@store/identity";
import { beforeEach, describe, expect, it } from "vitest";

import {
  copiesOf,
  copyEvents,
  finish,
  keyOf,
  leftovers,
  openS3World,
  type S3World,
} from "./s3-world.ts";

const mebibyte = 1024 * 1024;
const harms = ["lost", "truncated", "corrupt"] as const;
const wanted = [
  // Held back until it is verified.
  ...harms.map((harm) => ({ size: "small", sizeBytes: 10_000, harm })),
  // Verified while it is sent.
  ...harms.map((harm) => ({ size: "large", sizeBytes: 3 * mebibyte, harm })),
  // Put in parts.
  { size: "parted", sizeBytes: 17 * mebibyte, harm: "corrupt" },
] as const;

interface Kept {
  readonly path: string;
  readonly address: ContentAddress;
  readonly content: Buffer;
  readonly harm: (typeof harms)[number];
}

/** An instance with a disk and a bucket, of which reads ask the bucket first. */
async function openPair(primary: "disk" | "bucket") {
  const mirror = primary === "disk" ? "bucket" : "disk";
  const world = await openS3World({
    backends: {
      disk: { kind: "local", path: "disk" },
      bucket: { kind: "s3", prefix: "two" },
    },
    placement: { primary, mirrors: [mirror], read_order: ["bucket"] },
  });
  return { ...world, mirror, primary };
}

async function push({ client }: S3World): Promise<{ packageId: string; files: Kept[] }> {
  const { id } = await client.createPackage({ namespace: "acme", name: "app", version: "1" });
  const files: Kept[] = [];
  for (const { size, sizeBytes, harm: what } of wanted) {
    const path = `${size}-${what}`;
    const content = Buffer.alloc(sizeBytes, `${path}, `);
    const { address } = await client.ingestFile(id, path, content);
    files.push({ path, address, content, harm: what });
  }
  await client.finalizePackage(id);
  return { packageId: id, files };
}

async function harm({ double }: S3World, { address, content, harm: what }: Kept): Promise<void> {
  const key = keyOf("two", address);
  if (what === "lost") await double.loseObject(key);
  else if (what === "truncated") await double.truncateObject(key, content.length - 1);
  else await double.corruptObject(key, content.length >> 1);
}

/** Runs background work until there is no more to do. */
async function tend({ registry }: S3World): Promise<number> {
  let copied = 0;
  for (let more = true; more;) {
    const report = await registry.tendCopies();
    expect(report.problems).toEqual([]);
    copied += report.copied;
    more = report.more;
  }
  return copied;
}

type Outcome = "right" | "cut" | "wrong";

async function read(world: S3World, packageId: string, file: Kept): Promise<Outcome> {
  const target = `/api/v1/packages/${packageId}/files/${file.path}`;
  try {
    const response = await world.server.call("owner", target);
    const got = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) return "cut";
    return got.equals(file.content) ? "right" : "wrong";
  } catch {
    return "cut";
  }
}

async function readPart(world: S3World, packageId: string, file: Kept): Promise<boolean> {
  const range = { start: 100, end: 5_000 };
  const { body, verified } = await world.client.getFile(packageId, file.path, { range });
  expect(verified).toBe("none");
  const got = Buffer.concat(await Array.fromAsync(body));
  return got.equals(file.content.subarray(range.start, range.end));
}

async function stagedOnDisk({ folder }: S3World): Promise<string[]> {
  return readdir(join(folder, "disk", "staging"), { recursive: true }).catch(() => []);
}

describe.each(["disk", "bucket"] as const)("with new objects on the %s", (primary) => {
  const bothOk = ["bucket ok hot none", "disk ok hot none"];
  let world: Awaited<ReturnType<typeof openPair>>;

  beforeEach(async () => {
    world = await openPair(primary);
    return () => world[Symbol.asyncDispose]();
  });

  it("the other catches up, and a bucket that loses, cuts and corrupts is stood in for", async () => {
    const { client, double, mirror, registry } = world;
    const { packageId, files } = await push(world);
    expect(await tend(world)).toBe(files.length);
    for (const { address } of files) expect(await copiesOf(client, address)).toEqual(bothOk);
    for (const file of files) await harm(world, file);

    for (const file of files) {
      const first = await read(world, packageId, file);
      // Of bytes that have been sent already, the last is kept back.
      const isSent = file.harm === "corrupt" && file.content.length > mebibyte;
      expect(first, file.path).toBe(isSent ? "cut" : "right");
    }
    const expected = files.map(({ harm: what }) => {
      return `damaged bucket ${what === "lost" ? "missing" : "corrupt"}`;
    });
    const news = async () => (await copyEvents(client)).slice(files.length).toSorted();
    await expect.poll(news, { timeout: 5_000 }).toEqual(expected.toSorted());
    for (const file of files) {
      expect(await read(world, packageId, file)).toBe("right");
      expect(await readPart(world, packageId, file)).toBe(true);
    }
    expect(await news()).toEqual(expected.toSorted());

    // A mirror is mended without being asked for; a primary is when it is.
    if (mirror === "bucket") expect(await tend(world)).toBe(files.length);
    else {
      const mended = await finish(client.replicateObjects({ to: "bucket" }));
      expect(mended).toMatchObject({ changed: files.length, problemCount: 0 });
    }
    for (const { address } of files) expect(await copiesOf(client, address)).toEqual(bothOk);
    expect(await finish(client.verifyObjects())).toMatchObject({
      objects: 2 * files.length,
      problemCount: 0,
      changed: 0,
    });
    await double.forgetRequests();
    for (const file of files) expect(await read(world, packageId, file)).toBe("right");
    const reads = (await double.requests()).filter(({ operation }) => operation === "GetObject");
    expect(reads).toHaveLength(files.length);
    expect(await leftovers(double)).toEqual([]);
    expect(await stagedOnDisk(world)).toEqual([]);
    expect((await registry.replay({ check: true })).differences).toEqual([]);
  });

  it("a verification finds what no read has met, ranges go on, and a push mends", async () => {
    const { client, double } = world;
    const { packageId, files } = await push(world);
    await tend(world);
    for (const file of files) await harm(world, file);
    for (const file of files) {
      // Nobody can say of a part that it is wrong, unless its object is not what is recorded.
      expect(await readPart(world, packageId, file)).toBe(true);
    }
    const found = await finish(client.verifyObjects({ backend: "bucket" }));
    expect(found).toMatchObject({ objects: files.length, problemCount: files.length });
    const { id } = await client.createPackage({ namespace: "acme", name: "app", version: "2" });
    for (const { path, content } of files) await client.ingestFile(id, path, content);
    const isPrimary = primary === "bucket";
    for (const { address } of files) {
      const [bucket] = await copiesOf(client, address);
      if (isPrimary) expect(bucket).toBe("bucket ok hot none");
      else expect(bucket).toMatch(/^bucket (missing|corrupt)/);
    }
    if (!isPrimary) await tend(world);
    const whole = await finish(client.verifyObjects({ restart: true }));
    expect(whole).toMatchObject({ objects: 2 * files.length, problemCount: 0 });
    expect(await leftovers(double)).toEqual([]);
  });

  it("the old place is emptied, left in the middle, into the other and back", async () => {
    const { client, double, registry } = world;
    const { packageId, files } = await push(world);
    const other = primary === "disk" ? "bucket" : "disk";
    for (const [from, to] of [
      [primary, other],
      [other, primary],
    ] as const) {
      const placed = await world.placed({ primary: to });
      const stopped = new AbortController();
      const { signal } = stopped;
      const leaving = finish(placed.evacuateObjects({ from, concurrency: 1, signal }));
      const left = expect(leaving).rejects.toMatchObject({ code: "aborted" });
      await expect
        .poll(() => copyEvents(client), { interval: 5 })
        .toContain(`removed ${from} evacuated`);
      stopped.abort();
      await left;
      for (const file of files) expect(await read(world, packageId, file)).toBe("right");
      const rest = await finish(placed.evacuateObjects({ from }));
      expect(rest).toMatchObject({ done: true, resumed: true, problemCount: 0 });
      for (const { address } of files) {
        expect(await copiesOf(client, address)).toEqual([`${to} ok hot none`]);
      }
      for (const file of files) expect(await read(world, packageId, file)).toBe("right");
    }
    await registry.sweep();
    expect(await leftovers(double)).toEqual([]);
    expect(await stagedOnDisk(world)).toEqual([]);
    expect((await registry.replay({ check: true })).differences).toEqual([]);
  });
});
