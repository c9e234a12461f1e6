import { createHash } from "node:crypto";

import { anonymousPrincipal } from "@store/access";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, it } from "vitest";

import { openByteServer } from "./byte-server.ts";
import {
  address,
  bytesOf,
  content,
  digestHeader,
  fieldsOf,
  get,
  publish,
  reading,
  sha256,
} from "./download.ts";

describe("a download", () => {
  it("says everything of the bytes, and that no browser may act on them", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry);
    const response = await get(server, path);
    expect(response.status).toBe(200);
    expect(fieldsOf(response)).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "private, max-age=31536000, immutable",
      "content-digest": digestHeader,
      "content-disposition": `attachment; filename="app ?.bin"; filename*=UTF-8''app%20%C3%A9.bin`,
      "content-length": String(content.length),
      "content-security-policy": "sandbox; default-src 'none'",
      "content-type": "application/x-thing",
      etag: `"${address}"`,
      "repr-digest": digestHeader,
      "store-executable": "true",
      "store-media-type": "application/x-thing",
      "store-verified": "whole",
      "x-content-type-options": "nosniff",
    });
    expect((await bytesOf(response)).equals(content)).toBe(true);
  });

  it("is answered to HEAD by the same fields, and nothing is opened for it", async () => {
    const memory = createMemoryBackend();
    const unread = reading(memory, () => ({
      [Symbol.asyncIterator]: () => {
        throw new Error("opened");
      },
    }));
    await using server = await openByteServer(unread);
    const path = await publish(server.registry);
    await using whole = await openByteServer(memory);
    const samePath = await publish(whole.registry);
    for (const [first, second] of [
      [path, samePath],
      [`/api/v1/objects/${address}`, `/api/v1/objects/${address}`],
    ] as const) {
      const head = await fetch(server.url + first, { method: "HEAD" });
      const full = await get(whole, second);
      expect(head.status).toBe(200);
      expect(fieldsOf(head)).toEqual(fieldsOf(full));
      await full.arrayBuffer();
    }
  });

  it("by an object's digests gives the same bytes", async () => {
    await using server = await openByteServer();
    await publish(server.registry);
    for (const name of [address, sha256]) {
      const response = await get(server, `/api/v1/objects/${name}`);
      expect(response.headers.get("etag")).toBe(`"${address}"`);
      expect(response.headers.get("content-type")).toBe("application/octet-stream");
      expect((await bytesOf(response)).equals(content)).toBe(true);
    }
    const part = await get(server, `/api/v1/objects/${address}`, { range: "bytes=-77" });
    expect((await bytesOf(part)).equals(content.subarray(-77))).toBe(true);
    const unknown = await get(server, `/api/v1/objects/blake3:${"0".repeat(64)}`);
    expect([unknown.status, await unknown.json()]).toMatchObject([
      404,
      { code: "object_not_found" },
    ]);
    expect((await get(server, "/api/v1/objects/md5:00")).status).toBe(400);
  });

  it("of an open package is kept by nobody, since its files change", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry, { finalize: false });
    const response = await get(server, path);
    expect(response.headers.get("cache-control")).toBe("no-store");
    await response.arrayBuffer();
  });

  it("that everybody may read is kept by shared caches", async () => {
    await using server = await openByteServer(createMemoryBackend(), anonymousPrincipal(true));
    const response = await get(server, await publish(server.registry));
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    await response.arrayBuffer();
  });

  it("is not what a browser runs, whatever its type", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry, { path: "index.html", mediaType: "text/html" });
    const response = await get(server, path);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("store-media-type")).toBe("text/html");
    await response.arrayBuffer();
  });

  it("of no bytes is whole, with or without a range", async () => {
    await using server = await openByteServer();
    const { id } = await server.registry.createPackage({
      namespace: "acme",
      name: "app",
      version: "1.0.0",
    });
    await server.registry.ingestFile(id, "empty", (async function* () {})());
    for (const range of ["", "bytes=0-", "bytes=-1"]) {
      const response = await get(server, `/api/v1/packages/${id}/files/empty`, { range });
      expect([response.status, response.headers.get("content-length")]).toEqual([200, "0"]);
    }
  });
});

describe("a conditional download", () => {
  it("is not sent again to whom has it", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry);
    for (const tag of [`"${address}"`, `W/"${address}", "x"`, "*"]) {
      const response = await get(server, path, { "if-none-match": tag, range: "bytes=0-1" });
      expect(response.status).toBe(304);
      expect(fieldsOf(response)).toMatchObject({
        etag: `"${address}"`,
        "cache-control": "private, max-age=31536000, immutable",
      });
      expect(await response.text()).toBe("");
    }
  });

  it("is refused where the bytes are others", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry);
    const response = await get(server, path, { "if-match": '"x"' });
    expect([response.status, await response.json()]).toMatchObject([
      412,
      { code: "precondition_failed" },
    ]);
    const matching = await get(server, path, { "if-match": `"${address}"` });
    expect(matching.status).toBe(200);
    await matching.arrayBuffer();
  });
});

it("sends what sha256sum would say", () => {
  const hex = createHash("sha256").update(content).digest("hex");
  expect(sha256).toBe(`sha256:${hex}`);
});
