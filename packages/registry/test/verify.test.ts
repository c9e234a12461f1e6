import { contentAddress, Digest } from "@store/identity";
import { withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { codeOf, dialects, openTestInstance, publish } from "./instance.ts";

describe.each(dialects)("verifying on %s", (dialect) => {
  test("a whole package finds nothing, and reads each object once", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const files = { a: "same", b: "same", c: "other" };
    const { id } = await publish(registry, { version: "1.0.0" }, files);
    const verified = new Set<ReturnType<typeof contentAddress>>();
    const report = await registry.verifyPackage(id, { verified });
    expect(report).toMatchObject({ fileCount: 3, sizeBytes: 13, problems: [] });
    expect(verified.size).toBe(2);
    expect(await registry.verifyLog()).toMatchObject({ size: 11 });
  });

  test("names the file whose object is gone, and mends it when the bytes are pushed again", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, storage } = instance;
    const { id } = await publish(registry, { version: "1.0.0" }, { a: "one", b: "two" });
    const { address } = await registry.statFile(id, "b");
    await storage.remove(address);
    const report = await registry.verifyPackage(id);
    expect(report.problems).toMatchObject([{ path: "b", address, code: "object_not_found" }]);
    await publish(registry, { version: "1.0.1" }, { b: "two" });
    expect((await registry.verifyPackage(id)).problems).toEqual([]);
  });

  test("names the files of which the views say what the manifest does not", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const { id } = await publish(registry, { version: "1.0.0" }, { a: "1", b: "2", c: "3" });
    await database.write(async ({ sql, tables: { artifactFiles: t } }) => {
      await sql.delete(t).where(eq(t.path, "a"));
      await sql.update(t).set({ executable: true }).where(eq(t.path, "b"));
    });
    expect((await registry.verifyPackage(id)).problems).toMatchObject([
      { path: "a", code: "log_corrupt" },
      { path: "b", code: "log_corrupt" },
    ]);
    await registry.replay();
    expect((await registry.verifyPackage(id)).problems).toEqual([]);
  });

  test("finds a manifest that is not the one that was recorded, and gives it to nobody", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, database } = instance;
    const { id, manifestDigest } = await publish(registry, { version: "1.0.0" });
    const { id: other } = await publish(registry, { version: "2.0.0" });
    const payload = Buffer.from(await registry.getManifestBytes(other, "cbor"));
    await database.write(async ({ sql, tables: { events: t } }) => {
      await sql.update(t).set({ payload }).where(eq(t.seq, 9));
    });
    const report = await registry.verifyPackage(id);
    expect(report.problems).toMatchObject([{ code: "log_corrupt" }]);
    expect(report.problems[0]?.message).toContain(manifestDigest);
    expect(await codeOf(registry.getManifestBytes(id, "cbor"))).toBe("log_corrupt");
    expect(await codeOf(registry.getManifestBytes(id, "jcs"))).toBe("log_corrupt");
    expect((await registry.verifyPackage(other)).problems).toEqual([]);
  });

  test("ends when its signal says so, and when a backend fails, with nothing under way", async () => {
    const backend = withFaults(createMemoryBackend(), [
      { verb: "open", when: 0, effect: "fail", call: 3 },
    ]);
    await using instance = await openTestInstance(dialect, { backends: { primary: backend } });
    const { registry } = instance;
    const names = Array.from({ length: 40 }, (_, index) => `file-${index}`);
    const files = Object.fromEntries(names.map((name) => [name, name]));
    const { id } = await publish(registry, { version: "1.0.0" }, files);
    let done = 0;
    const onProgress = (): void => {
      done += 1;
    };
    expect(await codeOf(registry.verifyPackage(id, { onProgress }))).toBe("storage_unavailable");
    const doneAtFailure = done;
    await registry.health();
    expect(done).toBe(doneAtFailure);
    const signal = AbortSignal.abort(new Error("enough"));
    expect(await codeOf(registry.verifyPackage(id, { signal }))).toBe("aborted");
    expect((await registry.verifyPackage(id)).problems).toEqual([]);
  });

  test("reads an object that several files share once", async () => {
    const backend = withFaults(createMemoryBackend(), [
      { verb: "open", when: 0, effect: "fail", call: 2 },
    ]);
    await using instance = await openTestInstance(dialect, { backends: { primary: backend } });
    const { registry, storage } = instance;
    const { id } = await publish(registry, { version: "1.0.0" }, { a: "x", b: "x", c: "x" });
    expect(await registry.verifyPackage(id)).toMatchObject({ fileCount: 3, problems: [] });
    const { address } = await registry.statFile(id, "a");
    await storage.remove(address);
    // The second reading, which the fault strikes, is the first one after that.
    expect(await codeOf(registry.verifyPackage(id))).toBe("storage_unavailable");
    const { problems } = await registry.verifyPackage(id);
    expect(problems.map(({ path, code }) => [path, code])).toEqual([
      ["a", "object_not_found"],
      ["b", "object_not_found"],
      ["c", "object_not_found"],
    ]);
  });

  test("names the file whose object holds other bytes", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry, storage } = instance;
    const { id } = await publish(registry, { version: "1.0.0" }, { a: "one", b: "two" });
    const { address } = await registry.statFile(id, "b");
    await storage.remove(address);
    const staged = await storage.stage({ lease: "vandal" });
    await staged.write(new TextEncoder().encode("owt"));
    await staged.commit(address);
    const report = await registry.verifyPackage(id);
    expect(report.problems).toMatchObject([{ path: "b", address, code: "object_corrupt" }]);
    await storage.remove(address);
    const shorter = await storage.stage({ lease: "vandal" });
    await shorter.write(new TextEncoder().encode("o"));
    await shorter.commit(address);
    const { problems } = await registry.verifyPackage(id);
    expect(problems[0]?.message).toContain("1 bytes where 3 bytes are recorded");
    expect(contentAddress(Digest.of("blake3", new Uint8Array(32)))).not.toBe(address);
    await expect(registry.getFile(id, "b")).rejects.toMatchObject({ code: "object_corrupt" });
  });
});
