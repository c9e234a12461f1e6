import { decodeCbor } from "@store/manifest";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, collect, openTestInstance } from "./instance.ts";

describe("an upload", () => {
  const half = ["the ", "content"] as const;

  async function begun() {
    const disk = createMemoryBackend();
    const cloud = createMemoryBackend();
    const backends = { disk, cloud };
    const instance = await openTestInstance("sqlite", { backends, placement: { primary: "disk" } });
    const { registry } = instance;
    const upload = await registry.createUpload({ sizeBytes: 11 });
    await registry.appendUpload(upload.id, 0, bytesOf(half[0]));
    return { instance, registry, upload, disk, cloud, backends };
  }

  test("goes on and is completed at the backend where its bytes are", async () => {
    const { instance, upload, disk, cloud, backends } = await begun();
    await using _ = instance;
    const moved = await instance.again({ backends, placement: { primary: "cloud" } });
    const done = await moved.appendUpload(upload.id, 4, bytesOf(half[1]));
    expect(done).toMatchObject({ status: "complete" });
    const { address } = done;
    if (address === undefined) throw new Error("A complete upload has an address.");
    expect(await disk.stat(address)).toMatchObject({ sizeBytes: 11 });
    expect(await cloud.stat(address)).toBeUndefined();
    expect((await collect((await moved.openObject(address)).body)).toString()).toBe("the content");
    const pkg = await moved.createPackage({ namespace: "acme", name: "app", version: "1" });
    await moved.addFile(pkg.id, "a", { upload: upload.id });
    const { items } = await moved.readEvents({ types: ["v1.file.added"] });
    expect(items.map(({ payload }) => decodeCbor(payload))).toMatchObject([{ backend: "disk" }]);
    // What is there by then is named where it is, whatever backend a later upload was sent to.
    const again = await moved.createUpload({ sizeBytes: 11 });
    await moved.appendUpload(again.id, 0, bytesOf("the content"));
    await moved.addFile(pkg.id, "b", { upload: again.id });
    expect(await cloud.stat(address)).toBeUndefined();
    const [, second] = (await moved.readEvents({ types: ["v1.file.added"] })).items;
    expect(decodeCbor(second?.payload ?? new Uint8Array())).toMatchObject({ backend: "disk" });
    expect(await moved.replay({ check: true })).toMatchObject({ differences: [] });
  });

  test("without bytes goes to where new objects go today", async () => {
    const { instance, registry, cloud, backends } = await begun();
    await using _ = instance;
    const upload = await registry.createUpload({ sizeBytes: 1 });
    const moved = await instance.again({ backends, placement: { primary: "cloud" } });
    const { address } = await moved.appendUpload(upload.id, 0, bytesOf("x"));
    if (address === undefined) throw new Error("A complete upload has an address.");
    expect(await cloud.stat(address)).toMatchObject({ sizeBytes: 1 });
  });

  test("whose backend is configured no more is told so, and can be cancelled", async () => {
    const { instance, upload, cloud } = await begun();
    await using _ = instance;
    const moved = await instance.again({ backends: { cloud }, placement: { primary: "cloud" } });
    const sending = moved.appendUpload(upload.id, 4, bytesOf(half[1]));
    await expect(sending).rejects.toMatchObject({
      code: "upload_not_found",
      message: expect.stringContaining('"disk", which is configured no more'),
    });
    await moved.cancelUpload(upload.id);
    expect(await codeOf(moved.getUpload(upload.id))).toBe("upload_not_found");
  });
});
