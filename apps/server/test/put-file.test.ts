import { contentAddress, digestBytes } from "@store/identity";
import { describe, expect, it } from "vitest";

import { openByteServer } from "./byte-server.ts";
import { nothingIsLeft, openPackage, put, type Put } from "./put.ts";
import { rawRequest } from "./raw-request.ts";

const digests = await digestBytes(Buffer.from("hello"));
const address = contentAddress(digests.primary);
const sha256 = contentAddress(digests.sha256);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const rightSha256 = `sha-256=:${base64(digests.sha256.bytes)}:`;
const rightBlake3 = `blake3=:${base64(digests.primary.bytes)}:`;
const wrongSha256 = `sha-256=:${base64(new Uint8Array(32))}:`;

describe("a file that is put", () => {
  it("is told of, and found where the answer says", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const added = await put(server, `${files}/bin/app%20%C3%A9?executable=true`, {
      headers: { "content-type": "text/plain; charset=utf-8" },
    });
    expect(added).toMatchObject({
      status: 201,
      json: {
        path: "bin/app é",
        size: 5,
        executable: true,
        media_type: "text/plain; charset=utf-8",
        content_address: address,
        sha256,
        deduplicated: false,
      },
    });
    expect(added.headers.get("etag")).toBe(`"${address}"`);
    const found = await fetch(server.url + (added.headers.get("location") ?? ""));
    expect(await found.text()).toBe("hello");
  });

  it.each([
    [undefined, "application/x-www-form-urlencoded"],
    [undefined, "application/octet-stream"],
    ["application/gzip", "application/gzip"],
  ])("has the type %s where the client says %s", async (mediaType, contentType) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const headers = { "content-type": contentType };
    expect((await put(server, `${files}/a`, { headers })).json.media_type).toBe(mediaType);
  });

  it("may be empty, with a length or without", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    expect(await put(server, `${files}/a`, { body: "" })).toMatchObject({ json: { size: 0 } });
    const bare = await rawRequest(server.port, [`PUT ${files}/b HTTP/1.1`]);
    expect(bare).toMatch(/^HTTP\/1\.1 201 /);
    const chunked = await rawRequest(
      server.port,
      [`PUT ${files}/c HTTP/1.1`, "transfer-encoding: chunked"],
      "0\r\n\r\n",
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 201 /);
  });

  it("replaces another only where that is asked for", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    await put(server, `${files}/a`);
    expect(await put(server, `${files}/a`, { body: "other" })).toMatchObject({
      status: 409,
      json: { code: "path_conflict" },
    });
    expect(await put(server, `${files}/a?replace=true`, { body: "other" })).toMatchObject({
      status: 201,
    });
  });

  it("is one where the request is repeated with its key", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const headers = { "idempotency-key": "once", "content-digest": rightSha256 };
    const first = await put(server, `${files}/a`, { headers });
    const again = await put(server, `${files}/a`, { headers });
    expect([again.status, again.json]).toEqual([201, first.json]);
    const other = { ...headers, "content-digest": wrongSha256 };
    expect(await put(server, `${files}/a`, { headers: other })).toMatchObject({
      status: 409,
      json: { code: "idempotency_conflict" },
    });
  });

  it("can be taken out again", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    await put(server, `${files}/a`);
    const gone = await fetch(`${server.url}${files}/a`, { method: "DELETE" });
    expect([gone.status, await gone.text()]).toEqual([204, ""]);
    expect((await fetch(`${server.url}${files}/a`)).status).toBe(404);
  });

  it("is listed with the others, by pages", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    for (const path of ["b", "a", "c"]) await put(server, `${files}/${path}`);
    const first = await fetch(`${server.url}${files}?limit=2`);
    const page = (await first.json()) as { items: { path: string }[]; cursor: string };
    expect(page.items.map((file) => file.path)).toEqual(["a", "b"]);
    const rest = await fetch(`${server.url}${files}?limit=2&cursor=${page.cursor}`);
    expect(await rest.json()).toMatchObject({ items: [{ path: "c" }] });
  });
});

describe("what is claimed of a file", () => {
  it.each([
    { "content-digest": rightSha256 },
    { "repr-digest": rightBlake3 },
    { "content-digest": `${rightSha256}, ${rightBlake3}, md5=:AAAA:` },
  ])("is accepted where it is right: %j", async (headers) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    expect(await put(server, `${files}/a?expect=${address}`, { headers })).toMatchObject({
      status: 201,
    });
  });

  it.each([
    [{ "content-digest": wrongSha256 }, ""],
    [{ "repr-digest": `${rightSha256}, blake3=:${base64(new Uint8Array(32))}:` }, ""],
    [{}, `?expect=blake3:${"0".repeat(64)}`],
    [{}, `?expect=sha256:${"0".repeat(64)}`],
    [{ "content-digest": wrongSha256 }, `?expect=${address}`],
  ])("is refused where it is wrong, and nothing is kept: %j %s", async (headers, query) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    expect(await put(server, `${files}/a${query}`, { headers: { ...headers } })).toMatchObject({
      status: 422,
      json: { code: "digest_mismatch" },
    });
    expect(await nothingIsLeft(server)).toBe(true);
  });

  it.each([
    [{ "content-digest": "sha-256=!" }, "", "invalid_digest"],
    [{ "content-digest": "sha-256=:AA==:" }, "", "invalid_digest"],
    [{}, "?expect=nonsense", "invalid_digest"],
    [{ "content-digest": rightSha256, "repr-digest": wrongSha256 }, "", "invalid_argument"],
    [{ "content-range": "bytes 0-4/5" }, "", "invalid_argument"],
  ])("is refused where it makes no sense: %j %s", async (headers, query, code) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    expect(await put(server, `${files}/a${query}`, { headers: { ...headers } })).toMatchObject({
      status: 400,
      json: { code },
    });
    expect(await nothingIsLeft(server)).toBe(true);
  });

  it.each([
    [{ "content-encoding": "gzip" }],
    [{ "content-type": "multipart/form-data; boundary=x" }],
  ])("is not that its body must be unpacked first: %j", async (headers) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    expect(await put(server, `${files}/a`, { headers: { ...headers } })).toMatchObject({
      status: 415,
      json: { code: "unsupported_media_type" },
    });
  });
});

describe("an object that is named instead of sent", () => {
  const named = { body: "", headers: { "store-object": address } };

  it("is added without its bytes, by either digest", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    await put(server, `${files}/a`);
    for (const [path, name] of [
      ["b", address],
      ["c", sha256],
    ] as const) {
      const headers = { "store-object": name, "content-type": "text/plain" };
      expect(await put(server, `${files}/${path}`, { body: "", headers })).toMatchObject({
        status: 201,
        json: { path, content_address: address, deduplicated: true, media_type: "text/plain" },
      });
    }
  });

  it("must be there", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    expect(await put(server, `${files}/a`, named)).toMatchObject({
      status: 404,
      json: { code: "object_not_found" },
    });
    const headers = { "store-upload": "01900000-0000-7000-8000-000000000000" };
    expect(await put(server, `${files}/a`, { body: "", headers })).toMatchObject({
      status: 404,
      json: { code: "upload_not_found" },
    });
  });

  it("is not both named and sent", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    await put(server, `${files}/a`);
    const wrong: Put[] = [
      { body: "hello", headers: named.headers },
      { body: "", headers: { ...named.headers, "content-digest": rightSha256 } },
      { body: "", headers: { ...named.headers, "store-upload": "x" } },
    ];
    for (const request of wrong) {
      expect(await put(server, `${files}/b`, request)).toMatchObject({
        status: 400,
        json: { code: "invalid_argument" },
      });
    }
  });

  it("is among those that need not be sent", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    await put(server, `${files}/a`);
    const other = `blake3:${"1".repeat(64)}`;
    const ask = async (addresses: readonly string[]) => {
      const response = await fetch(`${server.url}/api/v1/objects/missing`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ addresses }),
      });
      return { status: response.status, json: (await response.json()) as unknown };
    };
    expect(await ask([other, address, sha256])).toEqual({
      status: 200,
      json: { missing: [other] },
    });
    expect(await ask(["x"])).toMatchObject({ status: 400 });
    expect(await ask(Array.from({ length: 10_001 }, () => other))).toMatchObject({ status: 400 });
  });
});
