import type { StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";

import { corrupt, finish } from "./copies.ts";
import { bytesOf, codeOf, openTestInstance } from "./instance.ts";
import { withOverrides } from "./several-backends.ts";

describe("a URL to read from", () => {
  const url = "https://objects.example/key?signature";

  async function presigning(primaryPresigns: boolean, mirrorPresigns: boolean) {
    const bare = createMemoryBackend();
    const asked: unknown[] = [];
    const signing = (inner: StorageBackend, presignedReads: boolean): StorageBackend =>
      withOverrides(inner, {
        capabilities: { ...inner.capabilities, presignedReads },
        presign: async (_, options) => {
          asked.push(options);
          return url;
        },
      });
    const backends = {
      primary: signing(bare, primaryPresigns),
      mirror: signing(createMemoryBackend(), mirrorPresigns),
    };
    const instance = await openTestInstance("sqlite", { backends });
    const { registry } = instance;
    const pkg = await registry.createPackage({ namespace: "acme", name: "app", version: "1" });
    const file = await registry.ingestFile(pkg.id, "a", bytesOf("a"), { mediaType: "text/x" });
    return { instance, registry, id: pkg.id, address: file.address, bare, asked };
  }

  test("is given for the copy that is read first, with the file's media type", async () => {
    const { instance, registry, id, address, bare, asked } = await presigning(true, false);
    await using _ = instance;
    expect(await registry.presignFile(id, "a", { expiresMs: 1_000 })).toEqual({
      url,
      expiresAt: "2026-01-02T03:04:06.678Z",
    });
    expect(await registry.presignObject(address)).toMatchObject({
      expiresAt: "2026-01-02T03:09:05.678Z",
    });
    expect(asked).toEqual([{ mediaType: "text/x", expiresMs: 1_000 }, {}]);
    expect(await codeOf(registry.presignFile(id, "a", { expiresMs: 300_001 }))).toBe(
      "invalid_argument",
    );
    expect(await codeOf(registry.presignFile(id, "b"))).toBe("file_not_found");
    await bare.remove(address);
    expect(await registry.presignFile(id, "a")).toBeUndefined();
  });

  test("is not given for a copy that was found damaged", async () => {
    const { instance, registry, id, address, bare } = await presigning(true, true);
    await using _ = instance;
    await corrupt(bare, address);
    expect(await registry.presignFile(id, "a")).toBeDefined();
    await finish(registry.verifyObjects({ backend: "primary" }));
    expect(await registry.presignFile(id, "a")).toBeUndefined();
  });

  test("is not given where another backend holds the copy that is read first", async () => {
    const { instance, registry, id } = await presigning(false, true);
    await using _ = instance;
    expect(await registry.presignFile(id, "a")).toBeUndefined();
  });
});
