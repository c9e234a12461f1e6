import type { OpenRegistryOptions } from "@store/registry";
import { describe, expect, test, vi } from "vitest";

import { bytesOf, codeOf, collect, dialects, leaseKinds, openTestInstance } from "./instance.ts";
import { addressOf, chunked, newPackage, patterned, sendRest, sha256Of } from "./uploads.ts";

const content = patterned(3_000_000);

describe.each(dialects)("an upload, with %s", (dialect) => {
  const open = (options: Partial<OpenRegistryOptions> = {}) => openTestInstance(dialect, options);

  test("arrives in pieces, becomes an object, and is added to a package", async () => {
    await using instance = await open();
    const { registry, database, storage } = instance;
    const metadata = { filename: "a.bin", constructor: "kept" };
    const upload = await registry.createUpload({ sizeBytes: content.length, metadata });
    expect(upload).toMatchObject({ actor: "tester", status: "open", offsetBytes: 0, metadata });
    const first = await registry.appendUpload(
      upload.id,
      0,
      chunked(content.subarray(0, 2_000_000)),
    );
    expect(first).toMatchObject({ status: "open", offsetBytes: 2_000_000 });
    expect(await registry.getUpload(upload.id)).toEqual(first);
    const complete = await sendRest(registry, first, content);
    expect(complete).toEqual({
      id: upload.id,
      actor: "tester",
      status: "complete",
      offsetBytes: content.length,
      sizeBytes: content.length,
      metadata,
      address: await addressOf(content),
      sha256: sha256Of(content),
      createdAt: upload.createdAt,
      expiresAt: upload.expiresAt,
    });
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
    expect(await leaseKinds(database)).toEqual(["object"]);

    const packageId = await newPackage(registry);
    const added = await registry.addFile(packageId, "a", { upload: upload.id });
    expect(added).toMatchObject({ address: complete.address, deduplicated: false });
    expect(await registry.addFile(packageId, "b", { upload: upload.id })).toMatchObject({
      sha256: complete.sha256,
      deduplicated: true,
    });
    await registry.finalizePackage(packageId);
    const { body } = await registry.getFile(packageId, "b");
    expect(Buffer.compare(await collect(body), content)).toBe(0);
    await registry.cancelUpload(upload.id);
    expect(await registry.verifyPackage(packageId)).toMatchObject({ problems: [] });
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
    expect(await leaseKinds(database)).toEqual([]);
  });

  test("belongs to its actor: nobody else finds, continues, adds or ends it", async () => {
    await using instance = await open();
    const { registry } = instance;
    const upload = await registry.createUpload({ sizeBytes: 2 });
    await registry.appendUpload(upload.id, 0, bytesOf("a"));
    const other = registry.as("mallory");
    const packageId = await newPackage(other);
    expect(await codeOf(other.getUpload(upload.id))).toBe("upload_not_found");
    expect(await codeOf(other.getUpload(upload.id, { settled: true }))).toBe("upload_not_found");
    expect(await codeOf(other.appendUpload(upload.id, 1, bytesOf("b")))).toBe("upload_not_found");
    expect(await codeOf(other.setUploadSize(upload.id, 2))).toBe("upload_not_found");
    expect(await codeOf(other.addFile(packageId, "a", { upload: upload.id }))).toBe(
      "upload_not_found",
    );
    expect((await other.listUploads()).items).toEqual([]);
    await other.cancelUpload(upload.id);
    expect(await registry.getUpload(upload.id)).toMatchObject({ offsetBytes: 1 });
  });

  test("goes on at its offset only, and says where that is", async () => {
    await using instance = await open();
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: 10 });
    await registry.appendUpload(id, 0, bytesOf("abc"));
    for (const offset of [0, 2, 4, 10]) {
      const refused = registry.appendUpload(id, offset, bytesOf("x"));
      await expect(refused).rejects.toMatchObject({
        code: "upload_conflict",
        context: { actual: 3 },
      });
    }
    expect(await registry.appendUpload(id, 3, chunked(new Uint8Array(0)))).toMatchObject({
      offsetBytes: 3,
    });
    expect(await registry.getUpload(id)).toMatchObject({ status: "open", offsetBytes: 3 });
  });

  test("ends if it is not what it was said to be, and leaves nothing", async () => {
    await using instance = await open();
    const { registry, database, storage } = instance;
    const claims = [
      { address: await addressOf(patterned(10)) },
      { address: sha256Of(patterned(10)) },
      { address: await addressOf(content), sha256: sha256Of(patterned(10)) },
    ];
    for (const expected of claims) {
      const { id } = await registry.createUpload({ sizeBytes: content.length, expect: expected });
      expect(await codeOf(registry.appendUpload(id, 0, chunked(content)))).toBe("digest_mismatch");
      expect(await codeOf(registry.getUpload(id))).toBe("upload_not_found");
    }
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
    expect(await Array.fromAsync(storage.enumerate())).toEqual([]);
    expect(await leaseKinds(database)).toEqual([]);
  });

  test("completes if it is what it was said to be", async () => {
    await using instance = await open();
    const { registry } = instance;
    const address = await addressOf(content);
    const sha256 = sha256Of(content);
    for (const expected of [{ address }, { address: sha256 }, { address, sha256 }]) {
      const { id } = await registry.createUpload({
        expect: { ...expected, sizeBytes: content.length },
      });
      expect(await registry.appendUpload(id, 0, chunked(content))).toMatchObject({ address });
    }
  });

  test("of nothing is complete at once", async () => {
    await using instance = await open();
    const upload = await instance.registry.createUpload({ sizeBytes: 0 });
    expect(upload).toMatchObject({
      status: "complete",
      address: await addressOf(new Uint8Array(0)),
    });
  });

  test("learns its size later, once", async () => {
    await using instance = await open();
    const { registry } = instance;
    const { id, ...upload } = await registry.createUpload();
    expect(upload).not.toHaveProperty("sizeBytes");
    await registry.appendUpload(id, 0, bytesOf("hello"));
    expect(await codeOf(registry.setUploadSize(id, 4))).toBe("upload_conflict");
    const packageId = await newPackage(registry);
    expect(await codeOf(registry.addFile(packageId, "a", { upload: id }))).toBe("upload_conflict");
    expect(await registry.setUploadSize(id, 6)).toMatchObject({ sizeBytes: 6, status: "open" });
    expect(await registry.setUploadSize(id, 6)).toMatchObject({ sizeBytes: 6 });
    expect(await codeOf(registry.setUploadSize(id, 7))).toBe("upload_conflict");
    expect(await registry.appendUpload(id, 5, bytesOf("!"))).toMatchObject({ status: "complete" });
    expect(await registry.setUploadSize(id, 6)).toMatchObject({ status: "complete" });

    const other = await registry.createUpload();
    await registry.appendUpload(other.id, 0, bytesOf("hello"));
    expect(await registry.setUploadSize(other.id, 5)).toMatchObject({
      status: "complete",
      address: await addressOf(Buffer.from("hello")),
    });
  });

  test("keeps of too many bytes those that fit, and is completed without the others", async () => {
    await using instance = await open();
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: 100_000 });
    const tooMany = registry.appendUpload(id, 0, chunked(content));
    expect(await codeOf(tooMany)).toBe("size_mismatch");
    expect(await registry.getUpload(id)).toMatchObject({ status: "open", offsetBytes: 100_000 });
    const packageId = await newPackage(registry);
    const added = await registry.addFile(packageId, "a", { upload: id });
    expect(added).toMatchObject({ address: await addressOf(content.subarray(0, 100_000)) });
  });

  test("takes no more once it is complete", async () => {
    await using instance = await open();
    const { registry } = instance;
    const { id } = await registry.createUpload({ sizeBytes: 1 });
    const complete = await registry.appendUpload(id, 0, bytesOf("a"));
    expect(await codeOf(registry.appendUpload(id, 1, bytesOf("b")))).toBe("upload_conflict");
    expect(await codeOf(registry.appendUpload(id, 0, bytesOf("a")))).toBe("upload_conflict");
    expect(await registry.appendUpload(id, 1, bytesOf(""))).toEqual(complete);
    expect(await registry.getUpload(id, { settled: true })).toEqual(complete);
  });

  test("is not written again if the instance has the object", async () => {
    await using instance = await open();
    const { registry, storage } = instance;
    const packageId = await newPackage(registry);
    await registry.ingestFile(packageId, "a", bytesOf(content));
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    await registry.appendUpload(id, 0, chunked(content));
    expect(await Array.fromAsync(storage.enumerate())).toHaveLength(1);
    expect(await Array.fromAsync(storage.listStaged())).toEqual([]);
    expect(await registry.addFile(packageId, "b", { upload: id })).toMatchObject({
      deduplicated: true,
    });
  });

  test("whose bytes the storage has lost begins again", async () => {
    await using instance = await open();
    const { registry, storage } = instance;
    const { id } = await registry.createUpload({ sizeBytes: content.length });
    await registry.appendUpload(id, 0, chunked(content.subarray(0, 2_000_000)));
    for await (const staged of storage.listStaged()) await storage.discardStaged(staged.id);
    const goOn = registry.appendUpload(id, 2_000_000, chunked(content.subarray(2_000_000)));
    await expect(goOn).rejects.toMatchObject({ code: "upload_conflict", context: { actual: 0 } });
    const again = await registry.appendUpload(id, 0, chunked(content));
    expect(again.address).toBe(await addressOf(content));
  });

  test("is hashed while it arrives, and read back only by who did not see its beginning", async () => {
    await using instance = await open();
    const { registry, storage } = instance;
    const resume = vi.spyOn(storage, "resume");
    let reads = 0;
    resume.mockImplementation(async function counted(id) {
      resume.mockRestore();
      const staged = await storage.resume(id);
      vi.spyOn(storage, "resume").mockImplementation(counted);
      vi.spyOn(staged, "read").mockImplementation((options) => {
        reads += 1;
        return Object.getPrototypeOf(staged).read.call(staged, options);
      });
      return staged;
    });
    const send = async (parts: readonly (typeof registry)[]) => {
      let upload = await registry.createUpload({ sizeBytes: content.length });
      for (const [index, part] of parts.entries()) {
        const end = ((index + 1) * content.length) / parts.length;
        upload = await sendRest(part, upload, content.subarray(0, end));
      }
      expect(upload).toMatchObject({ status: "complete", address: await addressOf(content) });
    };
    await send([registry, registry, registry]);
    expect(reads).toBe(0);
    const other = await instance.again();
    await send([registry, other]);
    expect(reads).toBe(1);
    // It has seen the beginning and the end, but not what is between.
    await send([registry, other, registry]);
    expect(reads).toBe(2);
  });
});
