import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { localPrincipal } from "@store/access";
import { createClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import type { PresignOptions, StorageBackend } from "@store/storage";
import { createMemoryBackend } from "@store/storage/memory";
import { openS3Storage } from "@store/storage-s3";
import { startS3Double } from "@store/testing/s3-double";
import { describe, expect, it } from "vitest";

import { openByteServer, type ByteServer } from "./byte-server.ts";
import { address, bytesOf, content, digestHeader, publish } from "./download.ts";

const signature = "X-Signature=of-a-secret";

interface Place extends AsyncDisposable {
  readonly url: string;
  readonly asked: IncomingMessage[];
}

/** A place that gives the content, or a range of it, to whoever has the URL. */
async function openPlace(): Promise<Place> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (start === undefined) {
      response.writeHead(200, { "content-length": content.length, etag: '"its own"' });
      response.end(content);
      return;
    }
    const range = `bytes ${start}-${last}/${content.length}`;
    const part = content.subarray(Number(start), Number(last) + 1);
    response.writeHead(206, { "content-length": part.length, "content-range": range }).end(part);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function openDouble() {
  const s3 = await startS3Double();
  return { s3, [Symbol.asyncDispose]: () => s3.close() };
}

interface Presigned {
  readonly backend: StorageBackend;
  readonly asked: PresignOptions[];
}

/** A backend in memory whose objects can be read at a place, too. */
function presigning(url: string): Presigned {
  const memory = createMemoryBackend();
  const asked: PresignOptions[] = [];
  const presign: StorageBackend["presign"] = async (_, options = {}) => {
    asked.push(options);
    return `${url}/bucket/key?${signature}`;
  };
  const backend = new Proxy(memory, {
    get(target, name: keyof StorageBackend) {
      if (name === "presign") return presign;
      if (name === "capabilities") return { ...target.capabilities, presignedReads: true };
      const member = target[name];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { backend, asked };
}

async function openServer(backend: StorageBackend, bytes?: number): Promise<ByteServer> {
  const environment = bytes === undefined ? {} : { STORE_REDIRECT_READS: String(bytes) };
  return await openByteServer(backend, localPrincipal("tester"), environment);
}

async function read(server: ByteServer, path: string, headers: Record<string, string> = {}) {
  return await fetch(server.url + path, { headers, redirect: "manual" });
}

describe("a large read", () => {
  it("is redirected to where the bytes are, with what they have to be", async () => {
    const { backend, asked } = presigning("https://bucket.example.org");
    await using server = await openServer(backend, content.length);
    const path = await publish(server.registry, { mediaType: "text/html" });
    const response = await read(server, path);
    expect(response.status).toBe(307);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: `https://bucket.example.org/bucket/key?${signature}`,
      "cache-control": "no-store",
      "content-length": "0",
      etag: `"${address}"`,
      "repr-digest": digestHeader,
      "store-executable": "true",
      "store-media-type": "text/html",
    });
    expect(await response.text()).toBe("");
    expect(asked).toMatchObject([
      {
        mediaType: "application/octet-stream",
        disposition: expect.stringContaining("attachment"),
      },
    ]);
    const object = await read(server, `/api/v1/objects/${address}`);
    expect(object.status).toBe(307);
  });

  it("is never logged with its signature", async () => {
    const { backend } = presigning("https://bucket.example.org");
    await using server = await openServer(backend, 1);
    await read(server, await publish(server.registry));
    const { answered, failures } = server;
    expect(answered).toHaveLength(1);
    expect(JSON.stringify({ answered, failures })).not.toContain(signature);
  });

  it.each([
    ["less than the setting", content.length + 1, {}, 200],
    ["with If-None-Match", 1, { "if-none-match": '"another"' }, 200],
    ["with If-Match", 1, { "if-match": `"${address}"` }, 200],
    ["with If-Range", 1, { range: "bytes=0-9", "if-range": `"${address}"` }, 206],
    ["since a time", 1, { "if-modified-since": "Sat, 21 Nov 2026 08:00:00 GMT" }, 200],
    ["of several ranges", 1, { range: "bytes=0-9,2000-2009" }, 206],
    ["of a range that is small", 1_000, { range: "bytes=0-998" }, 206],
    ["that is not to be", 1, { "store-redirect": "never" }, 200],
  ])("%s is answered here", async (_, bytes, headers, status) => {
    const { backend, asked } = presigning("https://bucket.example.org");
    await using server = await openServer(backend, bytes);
    const response = await read(server, await publish(server.registry), { ...headers });
    expect(response.status).toBe(status);
    await response.arrayBuffer();
    expect(asked).toEqual([]);
  });

  it("is answered here where nothing is set, and HEAD always", async () => {
    const { backend } = presigning("https://bucket.example.org");
    await using unset = await openServer(backend);
    const response = await read(unset, await publish(unset.registry));
    expect((await bytesOf(response)).equals(content)).toBe(true);
    const other = presigning("https://bucket.example.org");
    await using server = await openServer(other.backend, 1);
    const path = await publish(server.registry);
    const head = await fetch(server.url + path, { method: "HEAD", redirect: "manual" });
    expect(head.status).toBe(200);
  });

  it("is answered here where the backend gives no URL", async () => {
    await using server = await openServer(createMemoryBackend(), 1);
    const response = await read(server, await publish(server.registry));
    expect(response.status).toBe(200);
    expect((await bytesOf(response)).equals(content)).toBe(true);
  });

  it("that is unsatisfiable, or of what the caller has, is not redirected", async () => {
    const { backend } = presigning("https://bucket.example.org");
    await using server = await openServer(backend, 1);
    const path = await publish(server.registry);
    expect((await read(server, path, { range: "bytes=9000000-" })).status).toBe(416);
    expect((await read(server, path, { "if-none-match": `"${address}"` })).status).toBe(304);
  });

  it("is followed by the client, which shows no credential and verifies what it gets", async () => {
    await using place = await openPlace();
    const { backend } = presigning(place.url);
    await using server = await openServer(backend, 1_000);
    const path = await publish(server.registry);
    const [, packageId = ""] = /packages\/([^/]+)/.exec(path) ?? [];
    const transport = nodeTransport();
    for (const options of [{}, { transport }]) {
      const client = createClient({ url: server.url, credential: { token: "secret" }, ...options });
      const { file, body } = await client.getFile(packageId, "dist/app é.bin");
      expect(Buffer.concat(await Array.fromAsync(body)).equals(content)).toBe(true);
      expect(file).toEqual(await client.statFile(packageId, "dist/app é.bin"));
      const range = { start: 100, end: 5_000 };
      const part = await client.openObject(address, { range });
      const bytes = Buffer.concat(await Array.fromAsync(part.body));
      expect(bytes.equals(content.subarray(100, 5_000))).toBe(true);
    }
    transport.close();
    expect(place.asked.map(({ headers }) => headers.range)).toEqual([
      undefined,
      "bytes=100-4999",
      undefined,
      "bytes=100-4999",
    ]);
    for (const { headers } of place.asked) expect(headers).not.toHaveProperty("authorization");
  });

  it("of an object in S3 is answered there by what the server has signed", async () => {
    await using double = await openDouble();
    const { endpoint, region, bucket, credentials } = double.s3;
    const backend = await openS3Storage({ bucket, region, endpoint, credentials, pathStyle: true });
    await using server = await openServer(backend, 1_000);
    const path = await publish(server.registry, { mediaType: "text/html" });
    const direct = await fetch(server.url + path, { headers: { authorization: "Bearer secret" } });
    expect(direct.redirected).toBe(true);
    expect(direct.url.startsWith(endpoint)).toBe(true);
    expect(direct.headers.get("content-type")).toBe("application/octet-stream");
    expect(direct.headers.get("content-disposition")).toContain("attachment");
    expect((await bytesOf(direct)).equals(content)).toBe(true);
    const transport = nodeTransport();
    const client = createClient({ url: server.url, credential: { token: "secret" }, transport });
    const { body } = await client.openObject(address);
    expect(Buffer.concat(await Array.fromAsync(body)).equals(content)).toBe(true);
    const part = await client.openObject(address, { range: { start: 5, end: 9_999 } });
    const bytes = Buffer.concat(await Array.fromAsync(part.body));
    expect(bytes.equals(content.subarray(5, 9_999))).toBe(true);
    transport.close();
    const sent = server.answered.map(({ status, sentBytes }) => [status, sentBytes]);
    expect(sent).toEqual([
      [307, 0],
      [307, 0],
      [307, 0],
    ]);
    await backend.close();
  });
});
