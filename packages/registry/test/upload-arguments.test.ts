import { describe, expect, test } from "vitest";

import { bytesOf, codeOf, openTestInstance } from "./instance.ts";

/** What plain JavaScript may give, where TypeScript would refuse it. */
const loosely = (value: unknown): never => value as never;

describe("what an upload is asked with", () => {
  test.each<[string, unknown, string]>([
    ["a size that is no number", { sizeBytes: "1" }, "invalid_argument"],
    ["a negative size", { sizeBytes: -1 }, "invalid_argument"],
    ["half a byte", { sizeBytes: 0.5 }, "invalid_argument"],
    ["two sizes", { sizeBytes: 1, expect: { sizeBytes: 2 } }, "invalid_argument"],
    ["an address that is none", { expect: { address: "blake3:00" } }, "invalid_digest"],
    ["a number as metadata", { metadata: { a: 1 } }, "invalid_argument"],
    ["a text as metadata", { metadata: "a" }, "invalid_argument"],
    ["a lone surrogate in metadata", { metadata: { a: "\ud800" } }, "invalid_argument"],
    ["U+0000 in metadata", { metadata: { "a\0": "" } }, "invalid_argument"],
    ["too much metadata", { metadata: { a: "x".repeat(9_000) } }, "limit_exceeded"],
    ["an input that is none", 1, "invalid_argument"],
  ])("is refused with %s", async (_, input, code) => {
    await using instance = await openTestInstance("sqlite");
    expect(await codeOf(instance.registry.createUpload(loosely(input)))).toBe(code);
  });

  test("keeps metadata letter for letter, whatever its names are", async () => {
    await using instance = await openTestInstance("sqlite");
    const metadata: unknown = JSON.parse('{"__proto__":"a","toString":"b","é":"\\n","":""}');
    const { id } = await instance.registry.createUpload({ metadata: loosely(metadata) });
    const upload = await instance.registry.getUpload(id);
    expect(JSON.stringify(upload.metadata)).toBe(JSON.stringify(metadata));
  });

  test("is refused with an id, an offset, a source, a signal or a checksum that is none", async () => {
    await using instance = await openTestInstance("sqlite");
    const { registry } = instance;
    const { id } = await registry.createUpload();
    const source = bytesOf("a");
    const digest = new Uint8Array(20);
    for (const call of [
      () => registry.getUpload(loosely(1)),
      () => registry.getUpload(id, loosely({ settled: 1 })),
      () => registry.appendUpload(id, -1, source),
      () => registry.appendUpload(id, loosely("0"), source),
      () => registry.appendUpload(id, 0, loosely("a")),
      () => registry.appendUpload(id, 0, source, loosely({ signal: 1 })),
      () =>
        registry.appendUpload(id, 0, source, loosely({ checksum: { algorithm: "crc32", digest } })),
      () => registry.appendUpload(id, 0, source, { checksum: { algorithm: "sha256", digest } }),
      () => registry.appendUpload(id, 0, loosely(textSource())),
      () => registry.setUploadSize(id, loosely(undefined)),
      () => registry.cancelUpload(loosely(null)),
    ]) {
      expect(await codeOf(call())).toBe("invalid_argument");
    }
    expect(await codeOf(registry.getUpload("../x"))).toBe("upload_not_found");
    expect(await codeOf(registry.appendUpload("x", 0, source))).toBe("upload_not_found");
    expect(await registry.getUpload(id)).toMatchObject({ offsetBytes: 0 });
  });

  test.each([
    { uploadMs: 0 },
    { openUploads: -1 },
    { openUploadsPerActor: 0.5 },
    { uploadLockMs: 10 },
    { objectLimitBytes: Number.NaN },
  ])("cannot be limited by %o", async (options) => {
    expect(await codeOf(openTestInstance("sqlite", options))).toBe("invalid_argument");
  });
});

async function* textSource(): AsyncGenerator<string> {
  yield "text";
}
