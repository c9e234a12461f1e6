import { createHash } from "node:crypto";

import type { ChecksumAlgorithm, OpenRegistryOptions } from "@store/registry";
import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, dialects, leaseKinds, openTestInstance } from "./instance.ts";
import { addressOf, chunked, newPackage, patterned, sendRest } from "./uploads.ts";

const hour = 60 * 60 * 1000;
const content = patterned(3_000_000);

describe.each(dialects)("the life of an upload, with %s,", (dialect) => {
  const open = (options: Partial<OpenRegistryOptions> = {}) => openTestInstance(dialect, options);

  test("is limited in size, and in number for each actor and for all", async () => {
    await using instance = await open({
      objectLimitBytes: 1000,
      openUploadsPerActor: 2,
      openUploads: 3,
    });
    const { registry } = instance;
    expect(await codeOf(registry.createUpload({ sizeBytes: 1001 }))).toBe("limit_exceeded");
    const one = await registry.createUpload();
    expect(await codeOf(registry.setUploadSize(one.id, 1001))).toBe("limit_exceeded");
    expect(await codeOf(registry.appendUpload(one.id, 0, chunked(content)))).toBe("limit_exceeded");
    expect(await registry.setUploadSize(one.id, 1000)).toMatchObject({ status: "complete" });

    await registry.createUpload();
    const second = await registry.createUpload({ sizeBytes: 5 });
    expect(await codeOf(registry.createUpload())).toBe("limit_exceeded");
    await registry.as("bob").createUpload();
    expect(await codeOf(registry.as("eve").createUpload())).toBe("limit_exceeded");
    await registry.cancelUpload(second.id);
    await registry.as("eve").createUpload();
    const packageId = await newPackage(registry);
    const large = registry.ingestFile(packageId, "a", bytesOf(new Uint8Array(1001)));
    expect(await codeOf(large)).toBe("limit_exceeded");
  });

  test("expires after its last change, and a sweep discards what it has", async () => {
    await using instance = await open({ uploadMs: hour });
    const { registry, database, storage } = instance;
    const upload = await registry.createUpload({ sizeBytes: content.length });
    instance.advance(0.9 * hour);
    await registry.appendUpload(upload.id, 0, chunked(content.subarray(0, 2_000_000)));
    instance.advance(0.9 * hour);
    expect(await registry.sweep()).toMatchObject({ uploadsExpired: 0, stagedDiscarded: 0 });
    expect(await registry.getUpload(upload.id)).toMatchObject({ offsetBytes: 2_000_000 });
    const complete = await registry.createUpload({ sizeBytes: 1 });
    await registry.appendUpload(complete.id, 0, bytesOf("a"));
    instance.advance(0.1 * hour);
    for (const call of [
      () => registry.getUpload(upload.id),
      () => registry.appendUpload(upload.id, 2_000_000, bytesOf("a")),
      () => registry.setUploadSize(upload.id, content.length),
    ]) {
      expect(await codeOf(call())).toBe("upload_not_found");
    }
    expect((await registry.listUploads()).items.map(({ id }) => id)).toEqual([complete.id]);
    expect(await registry.sweep()).toMatchObject({ uploadsExpired: 1 });
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
    // The object of the other is protected for as long as it can be added.
    expect(await leaseKinds(database)).toEqual(["object"]);
    instance.advance(hour);
    expect(await registry.sweep()).toMatchObject({ uploadsExpired: 1 });
    expect(await leaseKinds(database)).toEqual([]);
    const packageId = await newPackage(registry);
    const late = registry.addFile(packageId, "a", { upload: complete.id });
    expect(await codeOf(late)).toBe("upload_not_found");
  });

  test("is cancelled for good, as often as it is asked", async () => {
    await using instance = await open();
    const { registry, database, storage } = instance;
    const { id } = await registry.createUpload();
    await registry.appendUpload(id, 0, chunked(content));
    await registry.cancelUpload(id);
    await registry.cancelUpload(id);
    await registry.cancelUpload("no-id");
    expect(await codeOf(registry.getUpload(id))).toBe("upload_not_found");
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
    expect(await leaseKinds(database)).toEqual([]);
  });

  test("gives the first answer again under an idempotency key, also once it is gone", async () => {
    await using instance = await open();
    const { registry } = instance;
    const packageId = await newPackage(registry);
    const { id } = await registry.createUpload({ sizeBytes: 1 });
    await registry.appendUpload(id, 0, bytesOf("a"));
    const add = (upload: string) =>
      registry.addFile(packageId, "a", { upload }, { idempotencyKey: "key" });
    const added = await add(id);
    await registry.cancelUpload(id);
    expect(await add(id)).toEqual(added);
    expect(await codeOf(add("another"))).toBe("idempotency_conflict");
  });

  test.each<ChecksumAlgorithm>(["md5", "sha1", "sha256", "sha512"])(
    "keeps an append only with its %s, where one is given",
    async (algorithm) => {
      await using instance = await open();
      const { registry, storage } = instance;
      const { id } = await registry.createUpload({ sizeBytes: content.length });
      const part = content.subarray(0, 1_500_000);
      const digest = createHash(algorithm).update(part).digest();
      const checksum = { algorithm, digest };
      const wrong = registry.appendUpload(id, 0, chunked(part.subarray(1)), { checksum });
      expect(await codeOf(wrong)).toBe("digest_mismatch");
      const broken = new Error("connection lost");
      const cut = registry.appendUpload(id, 0, chunked(part, broken), { checksum });
      await expect(cut).rejects.toBe(broken);
      expect(await registry.getUpload(id)).toMatchObject({ status: "open", offsetBytes: 0 });
      const right = await registry.appendUpload(id, 0, chunked(part), { checksum });
      expect(right.offsetBytes).toBe(part.length);
      expect(await Array.fromAsync(storage.listStaged())).toHaveLength(1);
      const complete = await sendRest(registry, right, content);
      expect(complete.address).toBe(await addressOf(content));
    },
  );

  test("is listed for its actor by pages, oldest first", async () => {
    await using instance = await open();
    const { registry } = instance;
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push((await registry.createUpload()).id);
    await registry.as("bob").createUpload();
    const first = await registry.listUploads({ limit: 2 });
    const second = await registry.listUploads({ limit: 2, cursor: first.cursor ?? "" });
    const third = await registry.listUploads({ limit: 2, cursor: second.cursor ?? "" });
    expect([first, second, third].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(
      ids.toSorted(),
    );
    expect(third.cursor).toBeUndefined();
    expect(await codeOf(registry.listUploads({ cursor: "x" }))).toBe("invalid_cursor");
  });
});
