import { createHash } from "node:crypto";

import { contentAddress, digestBytes } from "@store/identity";
import { describe, expect, it } from "vitest";

import { openByteServer } from "./byte-server.ts";
import { rawRequest } from "./raw-request.ts";
import { createUpload, offsetOf, patch, tus, uploadsPath } from "./tus.ts";

const text = "hello world";
const digests = await digestBytes(Buffer.from(text));
const address = contentAddress(digests.primary);
const base64 = (value: string) => Buffer.from(value).toString("base64");

describe("a tus server", () => {
  it("says what it serves", async () => {
    await using server = await openByteServer();
    const response = await fetch(server.url + uploadsPath, { method: "OPTIONS" });
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "tus-version": "1.0.0",
      "tus-resumable": "1.0.0",
      "tus-extension":
        "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration",
      "tus-max-size": expect.stringMatching(/^\d+$/),
      "tus-checksum-algorithm": expect.stringContaining("sha1"),
    });
  });

  it("refuses another version, and names its own", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    const versions: Record<string, string>[] = [{ "tus-resumable": "0.2.2" }, {}];
    for (const [method, target] of [
      ["POST", uploadsPath],
      ["HEAD", path],
      ["PATCH", path],
      ["DELETE", path],
    ] as const) {
      for (const version of versions) {
        const headers = { ...version, "upload-length": "1", "upload-offset": "0" };
        const response = await fetch(server.url + target, { method, headers });
        expect(response.status).toBe(412);
        expect(response.headers.get("tus-version")).toBe("1.0.0");
        expect(response.headers.get("tus-resumable")).toBe("1.0.0");
      }
    }
    expect(await offsetOf(server, path)).toBe("0");
  });

  it("takes an upload in pieces, and gives an object for it", async () => {
    await using server = await openByteServer();
    const created = await tus(server, "POST", uploadsPath, {
      headers: {
        "upload-length": "11",
        "upload-metadata": `filename ${base64("wörld.txt")},is_confidential,expect ${base64(address)}`,
      },
    });
    expect(created.status).toBe(201);
    expect(created.headers.get("upload-expires")).toMatch(/^\w{3}, \d\d \w{3} \d{4} .* GMT$/);
    const path = created.headers.get("location") ?? "";

    const first = await patch(server, path, 0, "hello ");
    expect([first.status, first.headers.get("upload-offset")]).toEqual([204, "6"]);
    expect(first.headers.has("store-object")).toBe(false);
    const head = await tus(server, "HEAD", path);
    expect(head.status).toBe(200);
    expect(Object.fromEntries(head.headers)).toMatchObject({
      "cache-control": "no-store",
      "tus-resumable": "1.0.0",
      "upload-length": "11",
      "upload-metadata": `filename ${base64("wörld.txt")},is_confidential,expect ${base64(address)}`,
      "upload-offset": "6",
    });

    const last = await patch(server, path, 6, "world");
    expect(last.status).toBe(204);
    expect(Object.fromEntries(last.headers)).toMatchObject({
      "store-object": address,
      "tus-resumable": "1.0.0",
      "upload-offset": "11",
      "upload-expires": expect.stringMatching(/GMT$/),
    });
    const shown = await fetch(server.url + path);
    expect(await shown.json()).toMatchObject({
      status: "complete",
      offset: 11,
      size: 11,
      metadata: { filename: "wörld.txt", is_confidential: "", expect: address },
      content_address: address,
    });
  });

  it("makes a file of what was uploaded, without sending it again", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    await patch(server, path, 0, text);
    const { id } = await server.registry.createPackage({
      namespace: "acme",
      name: "app",
      version: "1.0.0",
    });
    const file = `${server.url}/api/v1/packages/${id}/files/a`;
    const headers = { "store-upload": path.split("/").at(-1) ?? "" };
    expect((await fetch(file, { method: "PUT", headers })).status).toBe(201);
    expect(await (await fetch(file)).text()).toBe(text);
  });

  it("takes bytes with the creation", async () => {
    await using server = await openByteServer();
    const headers = { "upload-length": "11" };
    const part = await tus(server, "POST", uploadsPath, { headers, body: "hello " });
    expect([part.status, part.headers.get("upload-offset")]).toEqual([201, "6"]);
    const whole = await tus(server, "POST", uploadsPath, { headers, body: text });
    expect([whole.status, whole.headers.get("store-object")]).toEqual([201, address]);
    const wrongType = await tus(server, "POST", uploadsPath, {
      headers: { ...headers, "content-type": "text/plain" },
      body: text,
    });
    expect(wrongType.status).toBe(415);
  });

  it("keeps no upload that nobody was told of", async () => {
    await using server = await openByteServer();
    const headers = { "upload-length": "5" };
    const tooLong = await tus(server, "POST", uploadsPath, { headers, body: text });
    expect(tooLong.status).toBe(422);
    const wrong = await tus(server, "POST", uploadsPath, {
      headers: { "upload-length": "11", "upload-checksum": `sha1 ${"A".repeat(27)}=` },
      body: text,
    });
    expect(wrong.status).toBe(460);
    const list = await fetch(server.url + uploadsPath);
    expect(await list.json()).toEqual({ items: [] });
  });

  it("learns later how long an upload is", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server, { "upload-defer-length": "1" });
    await patch(server, path, 0, "hello ");
    const head = await tus(server, "HEAD", path);
    expect(head.headers.get("upload-defer-length")).toBe("1");
    expect(head.headers.has("upload-length")).toBe(false);
    const last = await patch(server, path, 6, "world", { "upload-length": "11" });
    expect(last.headers.get("store-object")).toBe(address);
    const other = await createUpload(server, { "upload-defer-length": "1" });
    await patch(server, other, 0, "hello ", { "upload-length": "11" });
    const changed = await patch(server, other, 6, "w", { "upload-length": "12" });
    expect([changed.status, await changed.json()]).toMatchObject([
      409,
      { code: "upload_conflict" },
    ]);
  });

  it("takes an upload of nothing", async () => {
    await using server = await openByteServer();
    const created = await tus(server, "POST", uploadsPath, { headers: { "upload-length": "0" } });
    expect([created.status, created.headers.get("upload-offset")]).toEqual([201, "0"]);
    expect(created.headers.get("store-object")).toMatch(/^blake3:/);
  });

  it("lets an upload be ended", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    await patch(server, path, 0, "hello ");
    expect((await tus(server, "DELETE", path)).status).toBe(204);
    for (const method of ["HEAD", "DELETE"]) {
      expect((await tus(server, method, path)).status).toBe(404);
    }
    const late = await patch(server, path, 6, "world");
    expect([late.status, await late.json()]).toMatchObject([404, { code: "upload_not_found" }]);
    expect(await Array.fromAsync(server.storage.listStaged())).toEqual([]);
  });

  it("heeds X-HTTP-Method-Override, and for uploads only", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    const overridden = await tus(server, "POST", path, {
      headers: { "x-http-method-override": "PATCH", "upload-offset": "0" },
      body: text,
    });
    expect([overridden.status, overridden.headers.get("store-object")]).toEqual([204, address]);
    const headers = { "x-http-method-override": "HEAD" };
    const head = await tus(server, "POST", path, { headers });
    expect([head.status, head.headers.get("upload-offset")]).toEqual([200, "11"]);
    const { id } = await server.registry.createPackage({
      namespace: "acme",
      name: "app",
      version: "1.0.0",
    });
    const elsewhere = await fetch(`${server.url}/api/v1/packages/${id}`, {
      method: "POST",
      headers: { "x-http-method-override": "DELETE" },
    });
    expect(elsewhere.status).toBe(405);
  });
});

describe("a tus request that is not right", () => {
  it.each([
    [{}, 400],
    [{ "upload-length": "1", "upload-defer-length": "1" }, 400],
    [{ "upload-defer-length": "2" }, 400],
    [{ "upload-length": "-1" }, 400],
    [{ "upload-length": "1e3" }, 400],
    [{ "upload-length": "9007199254740993" }, 400],
    [{ "upload-length": "9007199254740991" }, 413],
    [{ "upload-length": "1", "upload-metadata": "a b c" }, 400],
    [{ "upload-length": "1", "upload-metadata": "a !" }, 400],
    [{ "upload-length": "1", "upload-metadata": "a YQ==,a YQ==" }, 400],
    [{ "upload-length": "1", "upload-metadata": "a /w==" }, 400],
    [{ "upload-length": "1", "upload-metadata": `a ${"A".repeat(5000)}` }, 413],
    [{ "upload-length": "1", "upload-metadata": `expect ${base64("nonsense")}` }, 400],
    [{ "upload-length": "1", "upload-concat": "partial" }, 400],
    [{ "upload-length": "1", "upload-checksum": "crc32 AAAA" }, 400],
  ])("makes no upload: %j", async (headers, status) => {
    await using server = await openByteServer();
    const response = await tus(server, "POST", uploadsPath, { headers: { ...headers } });
    expect(response.status).toBe(status);
    expect(response.headers.get("tus-resumable")).toBe("1.0.0");
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  it.each([
    [{ "upload-offset": "3" }, 409, "upload_conflict"],
    [{ "upload-offset": "" }, 400, "invalid_argument"],
    [{ "upload-offset": "x" }, 400, "invalid_argument"],
    [{ "upload-offset": "0", "content-type": "text/plain" }, 415, "unsupported_media_type"],
    [{ "upload-offset": "0", "upload-length": "12" }, 409, "upload_conflict"],
    [{ "upload-offset": "0", "upload-checksum": "crc32 AAAA" }, 400, "invalid_argument"],
    [{ "upload-offset": "0", "upload-checksum": "sha1 AAAA" }, 400, "invalid_argument"],
  ])("changes no upload: %j", async (headers, status, code) => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    const response = await tus(server, "PATCH", path, { headers: { ...headers }, body: "hello " });
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
    expect(response.headers.get("tus-resumable")).toBe("1.0.0");
    expect(await offsetOf(server, path)).toBe("0");
  });

  it("without its checksum is discarded, and with it taken", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    const checksum = (algorithm: string, of: string) => ({
      "upload-checksum": `${algorithm} ${createHash(algorithm).update(of).digest("base64")}`,
    });
    const wrong = await patch(server, path, 0, "hello ", checksum("sha1", "other"));
    expect([wrong.status, await wrong.json()]).toMatchObject([
      460,
      { code: "digest_mismatch", status: 460 },
    ]);
    expect(await offsetOf(server, path)).toBe("0");
    expect((await patch(server, path, 0, "hello ", checksum("md5", "hello "))).status).toBe(204);
    const last = await patch(server, path, 6, "world", checksum("sha256", "world"));
    expect(last.headers.get("store-object")).toBe(address);
  });

  it("of other bytes than were claimed ends the upload", async () => {
    await using server = await openByteServer();
    const expected = `blake3:${"0".repeat(64)}`;
    const path = await createUpload(server, {
      "upload-length": "11",
      "upload-metadata": `expect ${base64(expected)}`,
    });
    const response = await patch(server, path, 0, text);
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { code: "digest_mismatch" },
    ]);
    expect((await tus(server, "HEAD", path)).status).toBe(404);
  });

  it("with more bytes than were said keeps those that fit", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server, { "upload-length": "5" });
    const response = await patch(server, path, 0, text);
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { code: "size_mismatch" },
    ]);
  });

  it("about nobody's upload finds none", async () => {
    await using server = await openByteServer();
    for (const id of ["01900000-0000-7000-8000-000000000000", "x", "..%2f..%2fx", "%00"]) {
      for (const method of ["HEAD", "DELETE"]) {
        const response = await tus(server, method, `${uploadsPath}/${id}`);
        expect([400, 404]).toContain(response.status);
        expect(response.headers.has("upload-offset")).toBe(false);
      }
    }
  });

  it("that is cut keeps what arrived", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    const lines = [
      `PATCH ${path} HTTP/1.1`,
      "tus-resumable: 1.0.0",
      "content-type: application/offset+octet-stream",
      "upload-offset: 0",
      "content-length: 11",
    ];
    await rawRequest(server.port, lines, "hello ", { hangUp: true });
    expect(await offsetOf(server, path)).toBe("6");
    const last = await patch(server, path, 6, "world");
    expect(last.headers.get("store-object")).toBe(address);
  });
});

describe("a server that closes", () => {
  it("ends an upload under way where it is durable, and says that it may be continued", async () => {
    await using server = await openByteServer();
    const path = await createUpload(server);
    const lines = [
      `PATCH ${path} HTTP/1.1`,
      "tus-resumable: 1.0.0",
      "content-type: application/offset+octet-stream",
      "upload-offset: 0",
      "content-length: 11",
    ];
    const answer = rawRequest(server.port, lines, "hello ");
    await expect
      .poll(async () => (await Array.fromAsync(server.storage.listStaged())).length)
      .toBe(1);
    await server.close();
    expect(await answer).toMatch(/^HTTP\/1\.1 503 .*\r\ntus-resumable: 1\.0\.0\r\n/s);
    const uploadId = path.split("/").at(-1) ?? "";
    expect(await server.registry.as("tester").getUpload(uploadId)).toMatchObject({
      offsetBytes: 6,
      status: "open",
    });
  });
});
