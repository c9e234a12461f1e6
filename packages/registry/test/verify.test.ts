import { contentAddress, Digest } from "@store/identity";
import { describe, expect, test } from "vitest";

import { dialects, openTestInstance, publish } from "./instance.ts";

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
    expect(contentAddress(Digest.of("blake3", new Uint8Array(32)))).not.toBe(address);
    const file = await registry.getFile(id, "b");
    await expect(Array.fromAsync(file.body)).rejects.toMatchObject({ code: "object_corrupt" });
  });
});
