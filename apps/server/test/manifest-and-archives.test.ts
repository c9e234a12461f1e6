import { createHash, randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";

import { contentAddress, digestBytes } from "@store/identity";
import { decodeManifest } from "@store/manifest";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, it } from "vitest";

import { openByteServer, type ByteServer } from "./byte-server.ts";

interface Publishing {
  readonly finalize?: boolean;
  /** What comes first in an archive. */
  readonly readme?: Buffer;
}

async function publish(
  { registry }: ByteServer,
  { finalize = true, readme = Buffer.from("read me\n".repeat(1000)) }: Publishing = {},
): Promise<string> {
  const pkg = await registry.createPackage({
    namespace: "acme",
    name: "app",
    version: "1.0.0+build",
    variant: "linux-amd64",
  });
  const add = (path: string, text: string | Buffer, executable = false) =>
    registry.ingestFile(
      pkg.id,
      path,
      (async function* () {
        yield Buffer.from(text);
      })(),
      { executable },
    );
  await add("bin/app", "#!/bin/sh\n", true);
  await add("README", readme);
  await add("empty", "");
  if (finalize) await registry.finalizePackage(pkg.id);
  return `/api/v1/packages/${pkg.id}`;
}

describe("a manifest", () => {
  it("comes as JSON or CBOR, as the caller likes, each under its own tag", async () => {
    await using server = await openByteServer();
    const path = `${await publish(server)}/manifest`;
    const get = async (accept?: string) => {
      const headers = accept === undefined ? {} : { accept };
      const response = await fetch(server.url + path, { headers });
      return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
    };
    for (const accept of [undefined, "application/json", "*/*", "application/*;q=0.1"]) {
      const { response, bytes } = await get(accept);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
        package: { name: "app" },
      });
    }
    const { response, bytes } = await get("application/cbor, application/json;q=0.5");
    expect(response.headers.get("content-type")).toBe("application/cbor");
    expect((await decodeManifest(bytes)).files).toHaveLength(3);
    const etag = `"${contentAddress((await digestBytes(bytes)).primary)}"`;
    expect(response.headers.get("etag")).toBe(etag);
    expect(response.headers.get("vary")).toContain("Accept");
    expect(response.headers.get("cache-control")).toContain("immutable");
    const digest = createHash("sha256").update(bytes).digest("base64");
    expect(response.headers.get("repr-digest")).toContain(`sha-256=:${digest}:`);

    const known = { accept: "application/cbor", "if-none-match": etag };
    expect((await fetch(server.url + path, { headers: known })).status).toBe(304);
    const other = { accept: "application/json", "if-none-match": etag };
    expect((await fetch(server.url + path, { headers: other })).status).toBe(200);
  });

  it("comes in no other form, and not before it is there", async () => {
    await using server = await openByteServer();
    const path = `${await publish(server)}/manifest`;
    const image = await fetch(server.url + path, { headers: { accept: "image/png" } });
    expect([image.status, await image.json()]).toMatchObject([406, { code: "not_acceptable" }]);
    await using other = await openByteServer();
    const open = await fetch(`${other.url}${await publish(other, { finalize: false })}/manifest`);
    expect([open.status, await open.json()]).toMatchObject([
      409,
      { code: "package_not_finalized" },
    ]);
  });
});

describe("an archive", () => {
  it.each([
    ["tar", "application/x-tar"],
    ["tar.gz", "application/gzip"],
    ["zip", "application/zip"],
  ])("of the form %s is the same on every server", async (format, mediaType) => {
    const archives: Buffer[] = [];
    for (let round = 0; round < 2; round += 1) {
      await using server = await openByteServer();
      const path = `${await publish(server)}/archive.${format}`;
      const response = await fetch(server.url + path);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe(mediaType);
      expect(response.headers.get("content-disposition")).toBe(
        `attachment; filename=app-1.0.0+build-linux-amd64.${format}`,
      );
      const bytes = Buffer.from(await response.arrayBuffer());
      const head = await fetch(server.url + path, { method: "HEAD" });
      for (const name of ["content-type", "etag", "content-length", "content-disposition"]) {
        expect(head.headers.get(name)).toBe(response.headers.get(name));
      }
      if (format === "tar") expect(head.headers.get("content-length")).toBe(`${bytes.length}`);
      const headers = { "if-none-match": response.headers.get("etag") ?? "" };
      expect((await fetch(server.url + path, { headers })).status).toBe(304);
      archives.push(bytes);
    }
    expect(archives[0]).toEqual(archives[1]);
    const tar = format === "tar.gz" ? gunzipSync(archives[0] ?? "") : archives[0];
    expect(tar?.includes("bin/app")).toBe(true);
  });

  it("of an open package is none", async () => {
    await using server = await openByteServer();
    const path = await publish(server, { finalize: false });
    for (const format of ["tar", "tar.gz", "zip"]) {
      const response = await fetch(`${server.url}${path}/archive.${format}`);
      expect([response.status, await response.json()]).toMatchObject([
        409,
        { code: "package_not_finalized" },
      ]);
    }
  });

  it.each(["tar", "tar.gz", "zip"])("as %s with a damaged file is cut", async (format) => {
    const memory = createMemoryBackend();
    await using server = await openByteServer(memory);
    const path = await publish(server, { readme: randomBytes(3 << 20) });
    const { items } = await server.registry.listFiles(path.split("/").at(-1) ?? "");
    const lost = items.find((file) => file.path === "bin/app");
    if (lost !== undefined) await memory.remove(lost.address);
    const response = await fetch(`${server.url}${path}/archive.${format}`);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow("terminated");
    expect(server.failures).toMatchObject([{ code: "object_not_found" }]);
  });
});
