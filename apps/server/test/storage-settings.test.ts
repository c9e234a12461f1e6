import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { isStoreError } from "@store/identity";
import { readSettings } from "@store/server/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-storage-settings-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function storageOf(environment: NodeJS.ProcessEnv) {
  return readSettings({ data: folder }, environment).storage;
}

function refusal(environment: NodeJS.ProcessEnv): string {
  try {
    storageOf(environment);
  } catch (error) {
    if (isStoreError(error, "invalid_argument")) return error.message;
    throw error;
  }
  return "accepted";
}

async function file(content: unknown): Promise<NodeJS.ProcessEnv> {
  const path = join(folder, "storage.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return { STORE_STORAGE_FILE: path };
}

const alone = { primary: "primary", mirrors: [], readOrder: ["primary"] };

describe("STORE_STORAGE_URL", () => {
  it("names the folder objects of the instance where it is not given", () => {
    const root = resolve(folder, "objects");
    expect(storageOf({})).toEqual({
      backends: { primary: { kind: "local", root } },
      placement: alone,
    });
  });

  it.each([
    ["file:/srv/objects", "/srv/objects"],
    ["file:///srv/the%20objects", "/srv/the objects"],
    ["file:objects", resolve("objects")],
  ])("takes the folder %s", (url, root) => {
    expect(storageOf({ STORE_STORAGE_URL: url }).backends).toEqual({
      primary: { kind: "local", root },
    });
  });

  it("takes a bucket with all that it may say", () => {
    const url =
      "s3://artifacts/store/one?region=eu-central-1&endpoint=http%3A%2F%2F127.0.0.1%3A9000" +
      "&path_style=true&profile=store&encryption=kms&kms_key_id=key&storage_class=STANDARD_IA" +
      "&checksums=when_required&conditional_writes=false";
    expect(storageOf({ STORE_STORAGE_URL: url }).backends.primary).toEqual({
      kind: "s3",
      bucket: "artifacts",
      prefix: "store/one",
      region: "eu-central-1",
      endpoint: "http://127.0.0.1:9000",
      pathStyle: true,
      profile: "store",
      encryption: { kind: "kms", keyId: "key" },
      storageClass: "STANDARD_IA",
      checksums: "when_required",
      conditionalWrites: false,
    });
  });

  it.each([
    "ftp://host/path",
    "bucket",
    "file:",
    "s3://",
    "s3://user:sesame@bucket",
    "s3://bucket:9000",
    "s3://bucket?unknown=1",
    "s3://bucket?region=a&region=b",
    "s3://bucket?path_style=yes",
    "s3://bucket?endpoint=host",
    "s3://bucket?encryption=none",
    "s3://bucket?kms_key_id=key",
    "s3://bucket?checksums=never",
  ])("refuses %s without repeating it", (url) => {
    const message = refusal({ STORE_STORAGE_URL: url });
    expect(message).toMatch(/^STORE_STORAGE_URL cannot be used: .+\.$/);
    expect(message).not.toContain("sesame");
  });
});

describe("STORE_STORAGE_FILE", () => {
  it("names backends, with paths that start at its folder, and their placement", async () => {
    await writeFile(join(folder, "id"), "mirror-id\n");
    await writeFile(join(folder, "key"), "mirror-secret\n");
    const environment = await file({
      backends: {
        disk: { kind: "local", path: "objects" },
        mirror: {
          kind: "s3",
          bucket: "b",
          credentials: { access_key_id_file: "id", secret_access_key_file: "key" },
          storage_classes: { permanent: "GLACIER_IR" },
        },
        archive: {
          kind: "s3",
          bucket: "c",
          credentials: { access_key_id: "a", secret_access_key: "s" },
          encryption: { kind: "kms", bucket_key: true },
        },
      },
      placement: { primary: "disk", mirrors: ["mirror"], read_order: ["mirror"] },
    });
    expect(storageOf(environment)).toEqual({
      backends: {
        disk: { kind: "local", root: join(folder, "objects") },
        mirror: {
          kind: "s3",
          bucket: "b",
          credentials: { accessKeyId: "mirror-id", secretAccessKey: "mirror-secret" },
          storageClasses: { permanent: "GLACIER_IR" },
        },
        archive: {
          kind: "s3",
          bucket: "c",
          credentials: { accessKeyId: "a", secretAccessKey: "s" },
          encryption: { kind: "kms", bucketKey: true },
        },
      },
      placement: {
        primary: "disk",
        mirrors: ["mirror"],
        readOrder: ["mirror", "disk", "archive"],
      },
    });
  });

  it("makes a single backend the primary, whatever its name", async () => {
    const { placement } = storageOf(
      await file({ backends: { disk: { kind: "local", path: "o" } } }),
    );
    expect(placement).toEqual({ primary: "disk", mirrors: [], readOrder: ["disk"] });
  });

  const disk = { kind: "local", path: "o" };
  const two = { primary: disk, second: { kind: "local", path: "p" } };
  it.each([
    ["no JSON", "{"],
    ["no backend", { backends: {} }],
    ["a kind that is none", { backends: { primary: { kind: "tape" } } }],
    ["a field that is none", { backends: { primary: { ...disk, size: 1 } } }],
    ["a name that is none", { backends: { "A b": disk } }],
    ["a folder twice", { backends: { primary: disk, second: { kind: "local", path: "p/../o/" } } }],
    [
      "a bucket twice",
      {
        backends: {
          primary: { kind: "s3", bucket: "b", prefix: "p", endpoint: "https://s3.test" },
          second: { kind: "s3", bucket: "b", prefix: "/p/", endpoint: "https://S3.test:443/" },
        },
      },
    ],
    ["no primary among several", { backends: { a: disk, b: disk } }],
    ["a placement at no backend", { backends: two, placement: { mirrors: ["third"] } }],
    ["a primary as its mirror", { backends: two, placement: { mirrors: ["primary"] } }],
    ["a mirror twice", { backends: two, placement: { mirrors: ["second", "second"] } }],
    ["a bucket without name", { backends: { primary: { kind: "s3" } } }],
    [
      "parts larger than memory holds",
      { backends: { primary: { kind: "s3", bucket: "b", part_bytes: 33 * 2 ** 20 } } },
    ],
    ["small parts", { backends: { primary: { kind: "s3", bucket: "b", part_bytes: 1 } } }],
  ])("refuses %s, naming the file", async (_, content) => {
    const message = refusal(await file(content));
    expect(message).toContain(join(folder, "storage.json"));
  });

  const bucket = { kind: "s3", bucket: "b" };
  const at = (backend: object) => ({ backends: { primary: backend } });
  it.each([
    ["it is not JSON, at line 1 column 2", "{"],
    ["backends is missing", {}],
    ["backends is empty", { backends: {} }],
    ["backends.primary.size is not known", at({ ...disk, size: 1 })],
    ["backends.primary.path is missing", at({ kind: "local" })],
    ["backends.primary.bucket is missing", at({ kind: "s3" })],
    ['backends.primary.kind should be ("local" | "s3")', at({ kind: "tape" })],
    ["backends.primary.path_style should be boolean", at({ ...bucket, path_style: "yes" })],
    ["backends.primary.endpoint is not an http or https URL", at({ ...bucket, endpoint: "a:1" })],
    ["backends.primary.part_bytes should be >=5242880", at({ ...bucket, part_bytes: 1 })],
    [
      "backends.primary.credentials should have both keys, or both files of keys, and nothing else",
      at({ ...bucket, credentials: { access_key_id: "a" } }),
    ],
  ])("says that %s", async (problem, content) => {
    expect(refusal(await file(content))).toBe(
      `${join(folder, "storage.json")} cannot be used: ${problem}.`,
    );
  });

  it("refuses a file of a key that is empty, or holds more than the key", async () => {
    const credentials = { access_key_id_file: "one", secret_access_key_file: "one" };
    const environment = await file(at({ ...bucket, credentials }));
    await writeFile(join(folder, "one"), "\n");
    expect(refusal(environment)).toBe(`${join(folder, "one")} cannot be used: it is empty.`);
    await writeFile(join(folder, "one"), "sesame\nopen\n");
    expect(refusal(environment)).toContain("more than one word");
    expect(refusal(environment)).not.toContain("sesame");
  });

  it("never repeats a secret", async () => {
    const credentials = { access_key_id: "a", secret_access_key: "sesame", unknown: "sesame" };
    const content = { backends: { primary: { kind: "s3", bucket: "b", credentials } } };
    expect(refusal(await file(content))).not.toContain("sesame");
    expect(refusal(await file(`{"secret_access_key": "sesame"`))).not.toContain("sesame");
  });

  it("refuses a file that is not there, and both settings at once", async () => {
    expect(refusal({ STORE_STORAGE_FILE: join(folder, "none.json") })).toContain(
      "cannot be read (ENOENT)",
    );
    expect(refusal({ STORE_STORAGE_FILE: "a", STORE_STORAGE_URL: "file:b" })).toContain("one of");
  });
});
