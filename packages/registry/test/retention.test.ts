import { decodeManifest } from "@store/manifest";
import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, dialects, openTestInstance, publish } from "./instance.ts";

describe.each(dialects)("retention on %s", (dialect) => {
  test("has the five classes from the instance's birth, once", async () => {
    await using instance = await openTestInstance(dialect);
    const again = await instance.again();
    expect(await again.listRetentionClasses()).toEqual([
      { name: "ephemeral", durationDays: 7 },
      { name: "standard", durationDays: 90 },
      { name: "release", durationDays: 730 },
      { name: "audit", durationDays: 3650 },
      { name: "permanent" },
    ]);
    expect((await again.head()).size).toBe(6);
  });

  test("runs from finalizing, also when the class is set later", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" });
    expect(await registry.getRetention(id)).toMatchObject({
      retentionClass: "standard",
      expiresAt: "2026-04-02T03:04:05.678Z",
    });
    instance.advance(1000);
    expect(await registry.setRetention(id, "ephemeral")).toMatchObject({
      expiresAt: "2026-01-09T03:04:05.678Z",
    });
    expect(await registry.getPackage(id)).toMatchObject({ retentionClass: "ephemeral" });
    const forever = await registry.setRetention(id, "permanent");
    expect(forever.expiresAt).toBeUndefined();
    const { size } = await registry.head();
    await registry.setRetention(id, "permanent");
    expect((await registry.head()).size).toBe(size);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
    expect(await codeOf(registry.setRetention(id, "no-such"))).toBe("retention_class_not_found");
  });

  test("knows holds, which keep an open package from being abandoned or lapsing", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    await registry.ingestFile(pkg.id, "a", bytesOf("a"));
    const hold = await registry.placeHold(pkg.id, "audit of 2026");
    expect(await codeOf(registry.abandonPackage(pkg.id))).toBe("hold_conflict");
    instance.advance(48 * 60 * 60 * 1000);
    expect(await registry.sweep()).toMatchObject({ packagesExpired: 0 });
    await registry.finalizePackage(pkg.id);
    const manifest = await decodeManifest(await registry.getManifestBytes(pkg.id, "cbor"));
    expect(manifest.retention_summary.holds).toEqual([hold.id]);
    expect((await registry.listHolds({ released: false })).items).toHaveLength(1);
    const released = await registry.releaseHold(hold.id);
    expect(released.releasedBy).toBe("tester");
    expect(await registry.getHold(hold.id)).toEqual(released);
    expect(await codeOf(registry.getHold("nothing"))).toBe("hold_not_found");
    expect(await codeOf(registry.releaseHold(hold.id))).toBe("hold_conflict");
    expect((await registry.listHolds({ packageId: pkg.id, released: false })).items).toEqual([]);
    expect(await codeOf(registry.releaseHold("nothing"))).toBe("hold_not_found");
  });

  test("forgets the released holds of a package that is forgotten", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    const hold = await registry.placeHold(pkg.id, "a while");
    expect((await registry.listHolds({ released: true })).items).toEqual([]);
    await registry.releaseHold(hold.id);
    expect((await registry.listHolds({ released: true })).items).toHaveLength(1);
    await registry.abandonPackage(pkg.id);
    expect((await registry.listHolds()).items).toEqual([]);
    expect(await registry.replay({ check: true })).toMatchObject({ differences: [] });
  });
});

test("a package has as many holds as its manifest can list, and no more", async () => {
  await using instance = await openTestInstance("sqlite");
  const { registry } = instance;
  const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
  const holds = Array.from({ length: 1000 }, () => registry.placeHold(pkg.id, "a reason"));
  const [first] = await Promise.all(holds);
  expect(await codeOf(registry.placeHold(pkg.id, "one more"))).toBe("limit_exceeded");
  await registry.finalizePackage(pkg.id);
  const manifest = await decodeManifest(await registry.getManifestBytes(pkg.id, "cbor"));
  expect(manifest.retention_summary.holds).toHaveLength(1000);
  await registry.releaseHold(first?.id ?? "");
  expect(await registry.placeHold(pkg.id, "one more")).toMatchObject({ reason: "one more" });
});
