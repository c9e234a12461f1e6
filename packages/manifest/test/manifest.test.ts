import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  compareBytewise,
  decodeCbor,
  decodeManifest,
  encodeCbor,
  encodeManifest,
  fileContentAddress,
  fileDualDigest,
  fromJcs,
  isMediaType,
  manifestDigest,
  manifestLimits,
  manifestSchema,
  packageCoordinates,
  readManifestSummary,
  toJcs,
} from "@store/manifest";
import type { CborValue, Manifest } from "@store/manifest";
import { digestBytes, findPathConflict } from "@store/identity";
import { rounds } from "@store/testing/prove";
import { manifestOf, receiptsOf } from "./manifest-of.ts";
import { validManifest } from "./manifest-values.ts";
import { oracleEncode } from "./oracle.ts";
import { refusalOf } from "./refusal.ts";
import { naiveJcs } from "./vectors/naive-jcs.ts";

const changed = (change: (manifest: Record<string, unknown>) => void): Manifest => {
  const manifest = structuredClone(manifestOf(3)) as unknown as Record<string, unknown>;
  change(manifest);
  return manifest as unknown as Manifest;
};

describe("any valid manifest", () => {
  test("is encoded as another implementation encodes it, and decodes to itself", async () => {
    await fc.assert(
      fc.asyncProperty(validManifest, async (manifest) => {
        const bytes = await encodeManifest(manifest);
        expect(Buffer.compare(bytes, oracleEncode(manifest))).toBe(0);
        expect(await decodeManifest(bytes)).toStrictEqual(manifest);
        expect(decodeCbor(bytes)).toStrictEqual(manifest);
      }),
      { numRuns: rounds(5000), seed: 2 },
    );
  });

  test("turns into JSON and back into the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(validManifest, async (manifest) => {
        const bytes = await encodeManifest(manifest);
        const json = await toJcs(manifest);
        expect(Buffer.from(json).toString("utf8")).toBe(naiveJcs(manifest));
        expect(Buffer.compare(await toJcs(bytes), json)).toBe(0);
        expect(Buffer.compare(await fromJcs(json), bytes)).toBe(0);
      }),
      { numRuns: rounds(5000), seed: 3 },
    );
  });

  test("is accepted by the schema at once as it is piece by piece", () => {
    fc.assert(
      fc.property(validManifest, (manifest) => {
        expect(v.parse(manifestSchema, manifest)).toStrictEqual(manifest);
      }),
      { numRuns: rounds(1000), seed: 4 },
    );
    expectTypeOf<v.InferOutput<typeof manifestSchema>>().toExtend<Manifest>();
  });
});

describe("the paths of a manifest", () => {
  const segment = fc.constantFrom("a", "aa", "b", "a-b", "a.b", "\u{10000}");
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

  test("conflict exactly where the rule over a whole set says so", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(path, { maxLength: 10 }), async (paths) => {
        const [template] = manifestOf(1).files;
        const files = paths
          .toSorted(compareBytewise)
          .flatMap((each) => (template ? [{ ...template, path: each }] : []));
        const manifest = { ...manifestOf(0), files, storage_receipts: receiptsOf(files, ["main"]) };
        const isAccepted = await encodeManifest(manifest).then(
          () => true,
          () => false,
        );
        expect(isAccepted).toBe(findPathConflict(paths) === undefined);
      }),
      { numRuns: rounds(10_000), seed: 10 },
    );
  });
});

describe("encodeManifest", () => {
  test("refuses an optional field that is there without a value", async () => {
    const manifest = changed((value) => {
      Object.assign(value["provenance"] as object, { build: undefined });
    });
    const error = await refusalOf(() => encodeManifest(manifest));
    expect(error).toMatchObject({ code: "invalid_manifest" });
    expect(error.message).toContain("provenance.build");
  });

  test("refuses a size of -0, which would come back as 0", async () => {
    const manifest = changed((value) => {
      Object.assign((value["files"] as object[])[0] ?? {}, { size: -0 });
    });
    expect((await refusalOf(() => encodeManifest(manifest))).message).toContain("files[0].size");
  });

  test("names the file that is wrong", async () => {
    const manifest = changed((value) => {
      Object.assign((value["files"] as object[])[1] ?? {}, { size: 1.5 });
    });
    const error = await refusalOf(() => encodeManifest(manifest));
    expect(error.message).toContain("files[1].size");
    expect(error.context.path).toBe(manifest.files[1]?.path);
  });

  test("refuses text that CBOR of the value model cannot hold", async () => {
    for (const actor of ["a\0b", "\uD800"]) {
      const manifest = { ...manifestOf(1), provenance: { actor } };
      expect((await refusalOf(() => encodeManifest(manifest))).code).toBe("invalid_manifest");
    }
  });

  test("takes a Buffer for the bytes that it holds", async () => {
    const manifest = manifestOf(2);
    const files = manifest.files.map((file) => ({
      ...file,
      digests: {
        blake3: Buffer.from(file.digests.blake3),
        sha256: Buffer.from(file.digests.sha256),
      },
    }));
    const bytes = await encodeManifest({ ...manifest, files });
    expect(Buffer.compare(bytes, await encodeManifest(manifest))).toBe(0);
    const decoded = await decodeManifest(Buffer.from(bytes));
    expect(decoded.files[0]?.digests.sha256.constructor).toBe(Uint8Array);
  });

  test("gives valid bytes whatever becomes of the caller's objects meanwhile", async () => {
    const manifest = structuredClone(manifestOf(20_000)) as { files: object[] } & Manifest;
    const { metadata } = manifest.package;
    const encoding = encodeManifest(manifest);
    setImmediate(() => {
      manifest.files.push({ path: "zzz" });
      Object.assign(manifest.package, { namespace: "UPPER" });
      metadata?.fill(0);
      for (const file of manifest.files.slice(0, 10)) Object.assign(file, { size: -1 });
    });
    expect(await decodeManifest(await encoding)).toStrictEqual(manifestOf(20_000));
  });

  test("refuses every value that decodeManifest refuses when the codec writes it", async () => {
    const broken = changed((value) => {
      value["files"] = (value["files"] as unknown[]).toReversed();
    });
    const bytes = encodeCbor(broken as unknown as CborValue);
    expect((await refusalOf(() => decodeManifest(bytes))).code).toBe("invalid_manifest");
    expect((await refusalOf(() => encodeManifest(broken))).code).toBe("invalid_manifest");
  });
});

describe("decodeManifest", () => {
  test("refuses more bytes than a manifest may have without reading them", async () => {
    const bytes = new Uint8Array(manifestLimits.maxBytes + 1);
    const error = await refusalOf(() => decodeManifest(bytes));
    expect(error).toMatchObject({
      code: "limit_exceeded",
      context: { actual: bytes.length, limit: manifestLimits.maxBytes },
    });
  });

  test("stops at an entry that is longer than any entry can be", async () => {
    const head = Buffer.from(`a165${Buffer.from("files").toString("hex")}`, "hex");
    const files = encodeCbor([Array.from({ length: 2_000_000 }, () => null)]);
    const input = Buffer.concat([head, files]);
    expect((await refusalOf(() => decodeManifest(input))).code).toBe("limit_exceeded");
  });

  test("refuses what is no bytes", async () => {
    const text = "{}" as unknown as Uint8Array;
    for (const attempt of [decodeManifest, fromJcs, manifestDigest]) {
      expect((await refusalOf(() => attempt(text))).code).toBe("invalid_argument");
    }
  });
});

describe("readManifestSummary", () => {
  test("says what decoding says, without files and receipts", async () => {
    await fc.assert(
      fc.asyncProperty(validManifest, async (manifest) => {
        const { files: _files, storage_receipts: _receipts, ...rest } = manifest;
        expect(readManifestSummary(await encodeManifest(manifest))).toStrictEqual(rest);
      }),
      { numRuns: rounds(2000), seed: 9 },
    );
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ["no map", () => encodeCbor([]), "invalid_manifest"],
    ["no files", () => encodeCbor({ storage_receipts: [] }), "invalid_manifest"],
    ["no receipts", () => encodeCbor({ files: [] }), "invalid_manifest"],
    ["an unknown field", () => encodeCbor({ extra: 1, files: [] }), "invalid_manifest"],
    ["a missing field", () => encodeCbor({ files: [], storage_receipts: [] }), "invalid_manifest"],
    ["an end within the files", (bytes) => bytes.subarray(0, 60), "invalid_cbor"],
    ["an end within a digest", (bytes) => bytes.subarray(0, 120), "invalid_cbor"],
    ["a byte more", (bytes) => new Uint8Array([...bytes, 0]), "invalid_cbor"],
    ["a tag among the files", (bytes) => bytes.with(9, 0xc1), "invalid_cbor"],
    ["a float among the files", (bytes) => bytes.with(9, 0xfb), "invalid_cbor"],
    ["a length that is not there", (bytes) => bytes.with(7, 0x9b), "invalid_cbor"],
    ["an indefinite length", (bytes) => bytes.with(7, 0x9f), "invalid_cbor"],
  ])("refuses %s", async (_name, change, code) => {
    const bytes = change(await encodeManifest(manifestOf(3)));
    expect((await refusalOf(() => readManifestSummary(bytes))).code).toBe(code);
  });
});

describe("what else a manifest is asked for", () => {
  test("what media type a file may have is known before it is encoded", async () => {
    const [file] = manifestOf(1).files;
    for (const [mediaType, isAccepted] of [
      ["text/plain", true],
      ["text/html;charset=utf-8", true],
      [`a/${"b".repeat(127)}`, true],
      [`a/${"b".repeat(128)}`, false],
      ["*/*", false],
      ["text/plain;", false],
      ["text/plain; a=é", false],
    ] as const) {
      expect(isMediaType(mediaType)).toBe(isAccepted);
      const manifest = {
        ...manifestOf(1),
        files: [{ ...file, media_type: mediaType }],
      } as Manifest;
      const encoding = encodeManifest(manifest).then(
        () => true,
        () => false,
      );
      expect(await encoding).toBe(isAccepted);
    }
  });

  test("its digest is that of its bytes in one piece, however many slices there are", async () => {
    for (const length of [0, 1, 1024 * 1024, 3 * 1024 * 1024 + 7]) {
      const bytes = new Uint8Array(length).fill(length % 251);
      const { primary } = await digestBytes(bytes);
      expect((await manifestDigest(bytes)).equals(primary)).toBe(true);
    }
  });

  test("a file has a content address and both digests", async () => {
    const { primary, sha256, sizeBytes } = await digestBytes(new Uint8Array([1, 2, 3]));
    const file = { size: sizeBytes, digests: { blake3: primary.bytes, sha256: sha256.bytes } };
    expect(fileContentAddress(file)).toBe(primary.toString());
    expect(fileDualDigest(file)).toStrictEqual({ primary, sha256, sizeBytes });
  });

  test("its package has coordinates, the variant only where there is one", () => {
    const manifest = manifestOf(0);
    expect(packageCoordinates(manifest)).toStrictEqual({
      namespace: "acme",
      name: "app",
      version: "1.2.0",
      variant: "linux-amd64",
    });
    const { variant: _, ...rest } = manifest.package;
    expect(packageCoordinates({ package: rest })).not.toHaveProperty("variant");
  });
});
