import { createHash } from "node:crypto";

import type { ContentAddress } from "@store/identity";
import { describe, expect, it } from "vitest";

import { copiesOf, copyEvents, finish, keyOf, openS3World, type S3World } from "./s3-world.ts";

const bytes = Buffer.from("kept for long\n".repeat(10_000));
/** How long asking an archive rests between two turns. */
const turnMs = 61_000;

interface Kept {
  readonly packageId: string;
  readonly address: ContentAddress;
  readonly path: string;
}

async function keep({ client }: S3World, content = bytes, retentionClass?: string): Promise<Kept> {
  const version = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const { id } = await client.createPackage({
    namespace: "acme",
    name: "app",
    version,
    ...(retentionClass === undefined ? {} : { retentionClass }),
  });
  const { address } = await client.ingestFile(id, "file", content);
  await client.finalizePackage(id);
  return { packageId: id, address, path: `/api/v1/packages/${id}/files/file` };
}

async function get({ server }: S3World, path: string, headers: Record<string, string> = {}) {
  const response = await server.call("owner", path, { headers });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

function problemOf({ body }: { readonly body: Buffer }): { code: string; detail: string } {
  return JSON.parse(body.toString()) as { code: string; detail: string };
}

async function restoresAsked({ double }: S3World): Promise<number> {
  const requests = await double.requests();
  return requests.filter(({ operation }) => operation === "RestoreObject").length;
}

const alone = { backends: { primary: { kind: "s3", prefix: "one" } } } as const;
const mirrored = {
  backends: {
    primary: { kind: "s3", prefix: "one" },
    mirror: { kind: "local", path: "mirror" },
  },
  placement: { mirrors: ["mirror"] },
} as const;

describe("an object that a rule of the bucket moved to Glacier", () => {
  it("is refused, asked for, read while it is restored, and refused again", async () => {
    await using world = await openS3World(alone);
    const { client, double, registry, advance } = world;
    const { address, path } = await keep(world);
    const key = keyOf("one", address);
    await double.archiveObject(key);

    for (const headers of [{}, { range: "bytes=5-9" }]) {
      const refused = await get(world, path, headers);
      expect(refused.status).toBe(409);
      expect(problemOf(refused)).toMatchObject({ code: "restore_required" });
      expect(problemOf(refused).detail).toMatch(/restore/i);
    }
    for (const format of ["tar", "tar.gz", "zip"]) {
      const refused = await get(world, path.replace("files/file", `archive.${format}`));
      expect(refused.status).toBe(409);
    }
    await expect.poll(() => copiesOf(client, address)).toEqual(["primary ok archive none"]);

    const asked = await client.restoreObject(address, { days: 2, speed: "bulk" });
    expect(asked.copies).toMatchObject([{ tier: "archive", restore: "requested" }]);
    expect(await restoresAsked(world)).toBe(1);
    expect(await copiesOf(client, address)).toEqual(["primary ok archive requested"]);
    expect((await get(world, path)).status).toBe(409);
    await registry.tendCopies();
    expect(await copiesOf(client, address)).toEqual(["primary ok archive requested"]);

    await double.finishRestore(key);
    advance(turnMs);
    expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 1 });
    const { copies } = await client.locateObject(address);
    expect(copies).toMatchObject([{ restore: "restored" }]);
    expect(Date.parse(copies[0]?.restoredUntil ?? "")).toBeGreaterThan(Date.now());
    const read = await get(world, path);
    expect(read.status).toBe(200);
    expect(read.body.equals(bytes)).toBe(true);
    expect(await finish(client.verifyObjects())).toMatchObject({ skipped: 0, problemCount: 0 });

    await double.expireRestore(key);
    advance(turnMs);
    expect(await registry.tendCopies()).toMatchObject({ retrievalsChanged: 1 });
    expect(await copiesOf(client, address)).toEqual(["primary ok archive none"]);
    expect((await get(world, path)).status).toBe(409);
    expect(await finish(client.verifyObjects())).toMatchObject({ skipped: 1, problemCount: 0 });
    expect(await copyEvents(client)).toEqual([
      "retrieval_changed primary archive none",
      "restore_requested primary",
      "retrieval_changed primary archive restored",
      "retrieval_changed primary archive none",
    ]);
    expect((await registry.replay({ check: true })).differences).toEqual([]);
    expect(world.server.failures).toEqual([]);
  });

  it("is read from a mirror, whole and in part, and said to be away once", async () => {
    await using world = await openS3World(mirrored);
    const { client, double, registry } = world;
    const { address, path } = await keep(world);
    await registry.tendCopies();
    await double.archiveObject(keyOf("one", address));
    for (let turn = 0; turn < 3; turn += 1) {
      const whole = await get(world, path);
      expect(whole.status).toBe(200);
      expect(whole.body.equals(bytes)).toBe(true);
      const part = await get(world, path, { range: "bytes=5-9" });
      expect(part.body.equals(bytes.subarray(5, 10))).toBe(true);
    }
    await expect
      .poll(() => copiesOf(client, address))
      .toEqual(["mirror ok hot none", "primary ok archive none"]);
    expect(await copyEvents(client)).toEqual([
      "copied mirror",
      "retrieval_changed primary archive none",
    ]);
    expect(world.server.failures).toEqual([]);
  });

  it("is passed over by a verification, and no source of copies", async () => {
    await using world = await openS3World({
      backends: {
        primary: { kind: "s3", prefix: "one" },
        other: { kind: "s3", prefix: "two" },
      },
    });
    const { client, double } = world;
    const { address } = await keep(world);
    await double.archiveObject(keyOf("one", address), "DEEP_ARCHIVE");
    expect(await finish(client.verifyObjects())).toMatchObject({ skipped: 1, problemCount: 0 });
    const refused = await finish(client.replicateObjects({ to: "other" }));
    expect(refused.problems).toMatchObject([
      { address, backend: "primary", code: "restore_required" },
    ]);
    await client.restoreObject(address, { days: 1 });
    await double.finishRestore(keyOf("one", address));
    world.advance(turnMs);
    await world.registry.tendCopies();
    const copied = await finish(client.replicateObjects({ to: "other" }));
    expect(copied).toMatchObject({ changed: 1, problemCount: 0 });
    // With a copy that can be read elsewhere, the archive may be emptied, restored or not.
    await double.expireRestore(keyOf("one", address));
    const emptied = await world.placed({ primary: "other" });
    expect(await finish(emptied.evacuateObjects({ from: "primary" }))).toMatchObject({
      changed: 1,
      problemCount: 0,
    });
    expect(await copiesOf(client, address)).toEqual(["other ok hot none"]);
    // The other way about the only copy that could be read would go.
    await double.archiveObject(keyOf("two", address));
    const kept = await finish(world.registry.evacuateObjects({ from: "other" }));
    expect(kept.problems).toMatchObject([{ code: "restore_required" }]);
    expect(await copiesOf(client, address)).toEqual(["other ok archive none"]);
  });

  it("is found damaged by its size, which needs no restore", async () => {
    await using world = await openS3World(alone);
    const { client, double } = world;
    const { address } = await keep(world);
    await double.archiveObject(keyOf("one", address));
    await finish(client.verifyObjects());
    await double.truncateObject(keyOf("one", address), 10);
    const found = await finish(client.verifyObjects({ restart: true }));
    expect(found.problems).toMatchObject([{ address, code: "object_corrupt" }]);
    expect(await copiesOf(client, address)).toEqual(["primary corrupt archive none"]);
  });

  it("is hot once a push writes its lost bytes anew", async () => {
    await using world = await openS3World(alone);
    const { client, double } = world;
    const { address, path } = await keep(world);
    await double.archiveObject(keyOf("one", address));
    await finish(client.verifyObjects());
    await double.loseObject(keyOf("one", address));
    await finish(client.verifyObjects({ restart: true }));
    expect(await copiesOf(client, address)).toEqual(["primary missing archive none"]);
    const { id } = await client.createPackage({ namespace: "acme", name: "again", version: "1" });
    await client.ingestFile(id, "file", bytes);
    expect(await copiesOf(client, address)).toEqual(["primary ok hot none"]);
    expect((await get(world, path)).body.equals(bytes)).toBe(true);
    expect((await world.registry.replay({ check: true })).differences).toEqual([]);
  });
});

describe("a storage class", () => {
  const classes = {
    backends: {
      primary: {
        kind: "s3",
        prefix: "one",
        storage_class: "STANDARD_IA",
        storage_classes: { permanent: "GLACIER", release: "STANDARD" },
        part_bytes: 5 * 1024 * 1024,
      },
    },
  } as const;

  it.each([
    ["is put in one request", bytes],
    ["is put in parts", Buffer.alloc(18 * 1024 * 1024, "parts")],
  ])("of an archive is known at once of an object that %s", async (_, content) => {
    await using world = await openS3World(classes);
    const { client, double } = world;
    const { address, path } = await keep(world, content, "permanent");
    expect(await copiesOf(client, address)).toEqual(["primary ok archive none"]);
    const stored = (await double.objects()).find(({ key }) => key === keyOf("one", address));
    expect(stored).toMatchObject({ storageClass: "GLACIER", size: content.length });
    expect((await get(world, path)).status).toBe(409);
    expect(await copyEvents(client)).toEqual(["retrieval_changed primary archive none"]);
    await client.restoreObject(address, { days: 1 });
    await double.finishRestore(keyOf("one", address));
    expect((await get(world, path)).body.equals(content)).toBe(true);
    expect((await world.registry.replay({ check: true })).differences).toEqual([]);
  });

  it("of an archive is known at once of an object that is uploaded for itself", async () => {
    await using world = await openS3World({
      backends: { primary: { kind: "s3", prefix: "one", storage_class: "GLACIER" } },
    });
    const { client, double } = world;
    const addresses: ContentAddress[] = [];
    for (const version of ["1", "2"]) {
      const upload = await client.createUpload({ sizeBytes: bytes.length });
      await client.appendUpload(upload.id, 0, bytes);
      const { id } = await client.createPackage({ namespace: "acme", name: "app", version });
      const { address } = await client.addFile(id, "file", { upload: upload.id });
      addresses.push(address);
      expect(await copiesOf(client, address)).toEqual(["primary ok archive none"]);
    }
    const [address] = addresses;
    if (address === undefined) throw new Error("There are addresses.");
    // Written anew, it is in the archive as before.
    await double.loseObject(keyOf("one", address));
    await finish(client.verifyObjects());
    const upload = await client.createUpload({ sizeBytes: bytes.length });
    await client.appendUpload(upload.id, 0, bytes);
    expect(await copiesOf(client, address)).toEqual(["primary ok archive none"]);
    expect(await copyEvents(client)).toEqual([
      "retrieval_changed primary archive none",
      "damaged primary missing",
      "mended primary",
    ]);
  });

  it("is that of the package for a mirror's copies too", async () => {
    await using world = await openS3World({
      backends: {
        primary: { kind: "local", path: "disk" },
        mirror: { kind: "s3", prefix: "two", storage_classes: { permanent: "GLACIER" } },
      },
      placement: { mirrors: ["mirror"] },
    });
    const { client, double, registry } = world;
    const kept = await keep(world, bytes, "permanent");
    const other = await keep(world, Buffer.from("not for long"));
    await registry.tendCopies();
    const objects = new Map((await double.objects()).map((object) => [object.key, object]));
    expect(objects.get(keyOf("two", kept.address))).toMatchObject({ storageClass: "GLACIER" });
    expect(objects.get(keyOf("two", other.address))).toMatchObject({ storageClass: "STANDARD" });
    expect(await copiesOf(client, kept.address)).toEqual([
      "mirror ok archive none",
      "primary ok hot none",
    ]);
    // What is not to be read at once is not asked for while it is elsewhere.
    await double.forgetRequests();
    expect((await get(world, kept.path)).body.equals(bytes)).toBe(true);
    expect(await double.requests()).toEqual([]);
  });
});
