import { decodeManifest, fromJcs, manifestDigest } from "@store/manifest";
import { contentAddress, parseNamePattern, type ContentAddress } from "@store/identity";
import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, collect, dialects, openTestInstance, publish } from "./instance.ts";

describe.each(dialects)("a package on %s", (dialect) => {
  test("goes from open to finalized and is read back as it was written", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const pkg = await registry.createPackage({
      namespace: "acme",
      name: "app",
      version: "1.0.0",
      variant: "linux-amd64",
      metadata: { ratio: 0.5, tags: ["x"] },
      source: "git+https://example.com/app@abc",
      build: "job 7",
    });
    expect(pkg).toMatchObject({
      status: "open",
      revision: 0,
      fileCount: 0,
      metadata: { ratio: 0.5 },
    });

    const added = await registry.ingestFile(pkg.id, "bin/app", bytesOf("#!/bin/sh\n"), {
      executable: true,
      mediaType: "text/x-shellscript",
    });
    expect(added).toMatchObject({ path: "bin/app", sizeBytes: 10, deduplicated: false });
    await registry.ingestFile(pkg.id, "empty", bytesOf(""));

    const done = await registry.finalizePackage(pkg.id);
    expect(done.package).toMatchObject({ status: "finalized", fileCount: 2, sizeBytes: 10 });
    const bytes = await registry.getManifestBytes(pkg.id, "cbor");
    expect(contentAddress(await manifestDigest(bytes))).toBe(done.manifestDigest);
    const manifest = await decodeManifest(bytes);
    expect(manifest.package).toMatchObject({ variant: "linux-amd64" });
    expect(manifest.files.map((file) => [file.path, file.size, file.executable])).toEqual([
      ["bin/app", 10, true],
      ["empty", 0, undefined],
    ]);
    expect(manifest.provenance).toEqual({
      actor: "tester",
      source: "git+https://example.com/app@abc",
      build: "job 7",
    });
    expect(manifest.retention_summary).toEqual({
      class: "standard",
      expires_at: "2026-04-02T03:04:05.678Z",
      holds: [],
    });
    expect(await fromJcs(await registry.getManifestBytes(pkg.id, "jcs"))).toEqual(bytes);

    const file = await registry.getFile(pkg.id, "bin/app");
    expect(file.verified).toBe("whole");
    expect((await collect(file.body)).toString()).toBe("#!/bin/sh\n");
    const range = await registry.getFile(pkg.id, "bin/app", { range: { start: 2, end: 6 } });
    expect(range.verified).toBe("none");
    expect((await collect(range.body)).toString()).toBe("/bin");
  });

  test("accepts nothing once it is finalized", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const { id } = await publish(registry, { version: "1.0.0" });
    expect(await codeOf(registry.ingestFile(id, "b", bytesOf("b")))).toBe("package_finalized");
    expect(await codeOf(registry.removeFile(id, "a.txt"))).toBe("package_finalized");
    expect(await codeOf(registry.finalizePackage(id))).toBe("package_finalized");
    expect(await codeOf(registry.abandonPackage(id))).toBe("package_finalized");
    expect(
      await codeOf(registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" })),
    ).toBe("package_exists");
  });

  test("refuses a path that is taken, or that is a folder and a file at once", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    await registry.ingestFile(pkg.id, "a/b", bytesOf("1"));
    await registry.ingestFile(pkg.id, "a-b", bytesOf("1"));
    for (const path of ["a/b", "a", "a/b/c", "a/b/c/d"]) {
      expect(await codeOf(registry.ingestFile(pkg.id, path, bytesOf("2")))).toBe("path_conflict");
    }
    const replaced = await registry.ingestFile(pkg.id, "a/b", bytesOf("longer"), { replace: true });
    expect(replaced.sizeBytes).toBe(6);
    expect(await registry.getPackage(pkg.id)).toMatchObject({ fileCount: 2, sizeBytes: 7 });
    await registry.removeFile(pkg.id, "a/b");
    await registry.ingestFile(pkg.id, "a/b/c", bytesOf("3"));
    expect(await codeOf(registry.removeFile(pkg.id, "a/b"))).toBe("file_not_found");
    expect((await registry.listFiles(pkg.id)).items.map((file) => file.path)).toEqual([
      "a-b",
      "a/b/c",
    ]);
  });

  test("stores the same bytes once, and adds a known object without its bytes", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, storage } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    const first = await registry.ingestFile(pkg.id, "a", bytesOf("same"));
    const second = await registry.ingestFile(pkg.id, "b", bytesOf("same"));
    const third = await registry.addFile(pkg.id, "c", first.address, { executable: true });
    expect([first.deduplicated, second.deduplicated, third.deduplicated]).toEqual([
      false,
      true,
      true,
    ]);
    expect(third).toMatchObject({ sizeBytes: 4, sha256: first.sha256, executable: true });
    expect(await Array.fromAsync(storage.enumerate())).toHaveLength(1);
    const fourth = await registry.addFile(pkg.id, "d", first.sha256);
    expect(fourth).toMatchObject({ address: first.address, sha256: first.sha256 });
    const unknown = first.address.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await codeOf(registry.addFile(pkg.id, "e", unknown as typeof first.address))).toBe(
      "object_not_found",
    );
    // What was lost is not taken for stored: it is asked for again, and mended.
    await storage.remove(first.address);
    expect(await codeOf(registry.addFile(pkg.id, "e", first.address))).toBe("object_not_found");
    const mended = await registry.ingestFile(pkg.id, "e", bytesOf("same"));
    expect(mended).toMatchObject({ address: first.address, deduplicated: false });
  });

  test("is answered by each command as the views then show it", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const input = { namespace: "acme", name: "app", version: "1.0.0", metadata: { a: [1, null] } };
    const pkg = await registry.createPackage(input);
    expect(await registry.getPackage(pkg.id)).toEqual(pkg);
    const { deduplicated: _, ...added } = await registry.ingestFile(pkg.id, "a", bytesOf("a"));
    expect(await registry.statFile(pkg.id, "a")).toEqual(added);
    const shown = async () => {
      const { metadata, ...summary } = await registry.getPackage(pkg.id);
      expect(metadata).toEqual(input.metadata);
      return summary;
    };
    const finalized = await registry.finalizePackage(pkg.id);
    expect(await shown()).toEqual(finalized.package);
    const yanked = await registry.yankPackage(pkg.id, { reason: "bad" });
    expect(await shown()).toEqual(yanked);
    expect((await registry.listPackages()).items).toEqual([yanked]);
    expect((await registry.listVersions("acme", "app")).items).toEqual([yanked]);
    expect(await registry.yankPackage(pkg.id, { reason: "bad" })).toEqual(yanked);
    const unyanked = await registry.unyankPackage(pkg.id);
    expect(await shown()).toEqual(unyanked);
    expect(await registry.unyankPackage(pkg.id)).toEqual(unyanked);
    const tag = await registry.setTag({ packageId: pkg.id, tag: "stable" });
    expect((await registry.listTags("acme", "app")).items).toEqual([tag]);
    expect(await registry.setTag({ packageId: pkg.id, tag: "stable" })).toEqual(tag);
    const hold = await registry.placeHold(pkg.id, "audit");
    expect((await registry.listHolds()).items).toEqual([hold]);
    const released = await registry.releaseHold(hold.id);
    expect((await registry.listHolds({ packageId: pkg.id })).items).toEqual([released]);
    const retention = await registry.setRetention(pkg.id, "release");
    expect(await registry.getRetention(pkg.id)).toEqual(retention);
    const schema = { name: "app", schema: { type: "object" } };
    const registered = await registry.registerMetadataSchema(schema);
    expect(await registry.getMetadataSchema("app@1")).toEqual(registered);
    expect(await registry.registerMetadataSchema(schema)).toEqual(registered);
    const { schema: text, ...summary } = registered;
    expect(text).toEqual(schema.schema);
    expect((await registry.listMetadataSchemas()).items).toEqual([summary]);
  });

  test("does not give away an object that the actor may not read", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    const { address } = await registry.ingestFile(pkg.id, "a", bytesOf("secret"));
    const own = { namespace: "other", name: "app", version: "1.0.0" };
    const scope = { names: [parseNamePattern("other/*")], accounts: false };
    const stranger = registry.as("stranger", scope);
    const { id } = await stranger.createPackage(own);
    expect(await codeOf(stranger.addFile(id, "b", address))).toBe("object_not_found");
    const added = await stranger.ingestFile(id, "b", bytesOf("secret"));
    // Nor is it told that somebody had the same bytes.
    expect(added).toMatchObject({ address, deduplicated: false });
    expect(await stranger.addFile(id, "c", address)).toMatchObject({ deduplicated: true });
  });

  test("refuses bytes that are not what was declared, and keeps nothing of them", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, storage } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    const { address } = await registry.ingestFile(pkg.id, "a", bytesOf("right"));
    expect(
      await codeOf(registry.ingestFile(pkg.id, "b", bytesOf("wrong"), { expect: { address } })),
    ).toBe("digest_mismatch");
    expect(
      await codeOf(
        registry.ingestFile(pkg.id, "b", bytesOf("wrong"), { expect: { sizeBytes: 4 } }),
      ),
    ).toBe("size_mismatch");
    const { sha256 } = (await registry.listFiles(pkg.id)).items[0]!;
    const claimed = (text: string, claim: ContentAddress) =>
      registry.ingestFile(pkg.id, "b", bytesOf(text), { expect: { sha256: claim } });
    expect(await codeOf(claimed("wrong", sha256))).toBe("digest_mismatch");
    expect(await codeOf(claimed("right", address))).toBe("invalid_argument");
    expect(await Array.fromAsync(storage.enumerate())).toHaveLength(1);
    expect(await Array.fromAsync(storage.listStaged())).toHaveLength(0);
    expect((await registry.listFiles(pkg.id)).items).toHaveLength(1);
  });

  test("is forgotten when it is abandoned, and abandoning again is success", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
    await registry.ingestFile(pkg.id, "a", bytesOf("a"));
    await registry.abandonPackage(pkg.id);
    await registry.abandonPackage(pkg.id);
    expect(await codeOf(registry.getPackage(pkg.id))).toBe("package_not_found");
    expect(await codeOf(registry.ingestFile(pkg.id, "b", bytesOf("b")))).toBe("package_not_found");
  });

  test("names its author in every event, and keeps the subject's name first", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    await publish(registry.as("alice"), { version: "1.0.0" });
    const { items: events } = await registry.readEvents({ subject: "acme/app" });
    expect(events.map((event) => [event.type, event.actor])).toEqual([
      ["v1.package.created", "alice"],
      ["v1.file.added", "alice"],
      ["v1.package.finalized", "alice"],
    ]);
    expect((await registry.readEvents({ subject: "acme/ap" })).items).toEqual([]);
  });
});
