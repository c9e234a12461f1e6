import { decodeCbor } from "@store/manifest";
import { openRegistry, type PlacementOptions } from "@store/registry";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { codeOf, openTestInstance, publish } from "./instance.ts";
import { putBytes, settled } from "./several-backends.ts";

const refused: readonly [string, PlacementOptions, string][] = [
  ["whose primary is no backend", { primary: "disk" }, "there is no such backend"],
  ["whose mirror is no backend", { mirrors: ["nowhere"] }, "there is no such backend"],
  ["that reads from no backend", { readOrder: ["nowhere"] }, "there is no such backend"],
  ["whose primary mirrors itself", { mirrors: ["primary"] }, "mirror of itself"],
  ["that names a mirror twice", { mirrors: ["mirror", "mirror"] }, "twice"],
  ["that reads twice", { readOrder: ["mirror", "mirror"] }, "twice"],
];

describe("a placement", () => {
  test.each(refused)("%s is refused", async (_, placement, message) => {
    const backends = { primary: createMemoryBackend(), mirror: createMemoryBackend() };
    const opening = openRegistry({
      database: "sqlite::memory:",
      backends,
      actor: "tester",
      placement,
    });
    await expect(opening).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(message),
    });
  });

  test("without a primary backend is refused, naming those that there are", async () => {
    const backends = { disk: createMemoryBackend() };
    const opening = openRegistry({ database: "sqlite::memory:", backends, actor: "tester" });
    await expect(opening).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("there are disk"),
    });
  });

  test("says where new objects go, and events name that backend", async () => {
    const disk = createMemoryBackend();
    const primary = createMemoryBackend();
    await using instance = await openTestInstance("sqlite", {
      backends: { primary, disk },
      placement: { primary: "disk" },
    });
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" }, { a: "one" });
    const { address } = await registry.statFile(id, "a");
    expect([await disk.stat(address), await primary.stat(address)]).toEqual([
      { address, sizeBytes: 3 },
      undefined,
    ]);
    const { items } = await registry.readEvents({ types: ["v1.file.added"] });
    expect(items.map(({ payload }) => decodeCbor(payload))).toMatchObject([{ backend: "disk" }]);
    expect(await instance.registry.verifyPackage(id)).toMatchObject({ problems: [] });
  });

  test("says where backends are, of those that there are", async () => {
    const backends = { primary: createMemoryBackend(), disk: createMemoryBackend() };
    await using instance = await openTestInstance("sqlite", {
      backends,
      placement: { places: { disk: "/srv/objects" } },
    });
    const [disk, primary] = await instance.registry.listBackends();
    expect(disk).toMatchObject({ name: "disk", place: "/srv/objects" });
    expect(primary).not.toHaveProperty("place");
    const wrong = openTestInstance("sqlite", { backends, placement: { places: { dusk: "/" } } });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("leaves an instance healthy whose mirror is not, and not one whose primary is not", async () => {
    const sick = withFaults(createMemoryBackend(), []);
    await sick.close();
    const backends = { primary: createMemoryBackend(), mirror: sick };
    await using instance = await openTestInstance("sqlite", { backends });
    const report = await instance.registry.health();
    expect(report).toMatchObject({
      healthy: true,
      backends: { primary: { healthy: true }, mirror: { healthy: false } },
    });
    const turned = await instance.again({ backends, placement: { primary: "mirror" } });
    expect(await turned.health()).toMatchObject({ healthy: false });
  });
});

const wrong = new TextEncoder().encode("teh content");

describe("an instance with one backend", () => {
  test("reports what it finds", async () => {
    const storage = createMemoryBackend();
    await using instance = await openTestInstance("sqlite", { backends: { primary: storage } });
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" }, { a: "the content" });
    const { address } = await registry.statFile(id, "a");
    await putBytes(storage, address, wrong);
    expect(await codeOf(registry.getFile(id, "a"))).toBe("object_corrupt");
    await settled(registry, ["damaged primary corrupt"]);
    await storage.remove(address);
    expect(await codeOf(registry.getFile(id, "a"))).toBe("object_not_found");
    await settled(registry, ["damaged primary corrupt", "damaged primary missing"]);
    await registry.close();
  });
});
