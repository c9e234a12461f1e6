import { isStoreError, StoreError } from "@store/identity";
import { describe, expect, test } from "vitest";

import { createClient } from "../src/index.ts";
import { cut, empty, json, openDouble, problem, quick, transports } from "./double.ts";
import { inChunks, packageId, packageInfo, packageJson, sampleBytes } from "./samples.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const page = { items: [] };
const input = { namespace: "acme", name: "app", version: "1.0.0" };

describe.each(transports)("over %s", (transport) => {
  test("gives what the server answers, in the registry's words", async () => {
    const server = await openDouble(transport);
    server.answer(json(200, packageJson));
    const client = server.client({ credential: { token: "secret" }, userAgent: "test/1" });
    expect(await client.getPackage(packageId)).toEqual(packageInfo);
    expect(server.seen).toMatchObject([
      {
        method: "GET",
        url: `/api/v1/packages/${packageId}`,
        headers: { authorization: "Bearer secret", "user-agent": "test/1" },
      },
    ]);
  });

  test("throws the error of a problem, with its code, words and context", async () => {
    const server = await openDouble(transport);
    const context = { reference: "acme/app", limit: 5, candidates: ["a"], other: {}, path: 7 };
    server.answer(problem(404, "package_not_found", {}, context));
    const error = await server
      .client()
      .getPackage(packageId)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({
      code: "package_not_found",
      message: "It is refused: package_not_found.",
      context: { reference: "acme/app", limit: 5, candidates: ["a"] },
    });
    expect(server.seen).toHaveLength(1);
  });

  test("calls what it does not know internal, and keeps its words", async () => {
    const server = await openDouble(transport);
    server.answer(problem(422, "moon_is_full"));
    await expect(server.client().head()).rejects.toMatchObject({
      code: "internal",
      message: "It is refused: moon_is_full. (moon_is_full)",
    });
  });

  test("tries again what reads, after a cut, an overload and a proxy's word", async () => {
    const server = await openDouble(transport);
    const overload = problem(503, "database_unavailable", { "retry-after": "0" });
    server.answer(cut, overload, empty(502), json(200, page));
    expect(await server.client().listPackages()).toEqual(page);
    expect(server.seen).toHaveLength(4);
  });

  test("makes a mutation safe to repeat, and repeats it with the same key", async () => {
    const server = await openDouble(transport);
    server.answer(cut, json(201, packageJson));
    await server.client().createPackage(input);
    const keys = server.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  test("never sends bytes of an upload again by itself, for some may have arrived", async () => {
    const server = await openDouble(transport);
    // What a server that is going down says of an append that it breaks off.
    server.answer(problem(503, "closed", { "retry-after": "0" }));
    const append = server.client().appendUpload("u", 0, new Uint8Array(10));
    await expect(append).rejects.toMatchObject({ code: "closed" });
    expect(server.seen).toHaveLength(1);
  });

  test("does not repeat what nobody made safe to repeat", async () => {
    const server = await openDouble(transport);
    server.answer(cut);
    const client = server.client();
    await expect(client.createToken({ name: "ci" })).rejects.toMatchObject({
      code: "storage_unavailable",
    });
    expect(server.seen).toHaveLength(1);
  });

  test("sends a source again that can be begun again, and no other", async () => {
    const server = await openDouble(transport);
    const { bytes, address, sha256 } = await sampleBytes(200_000);
    const added = {
      path: "a",
      size: bytes.byteLength,
      executable: false,
      content_address: address,
      sha256,
      deduplicated: false,
    };
    server.answer(cut, json(201, added));
    const client = server.client();
    await client.ingestFile(packageId, "a", () => inChunks(bytes), { expect: { address } });
    expect(server.seen).toHaveLength(2);

    server.answer(cut);
    await expect(client.ingestFile(packageId, "a", inChunks(bytes))).rejects.toMatchObject({
      code: "storage_unavailable",
    });
    expect(server.seen).toHaveLength(3);
  });

  test("passes on what the source throws, as it is", async () => {
    const server = await openDouble(transport);
    server.answer(json(201, {}));
    const broken = new Error("the disk is gone");
    async function* source() {
      yield new Uint8Array(10);
      await Promise.resolve();
      throw broken;
    }
    const sending = server.client().ingestFile(packageId, "a", source);
    await expect(sending).rejects.toBe(broken);
  });

  test("hears a refusal that comes before the body was read", async () => {
    const server = await openDouble(transport);
    server.answer((_, response) => {
      const body = {
        type: "about:blank",
        title: "",
        status: 409,
        detail: "no",
        code: "path_conflict",
      };
      response.writeHead(409, { "content-type": "application/problem+json", connection: "close" });
      response.end(JSON.stringify(body));
    });
    let asked = 0;
    async function* endless() {
      for (; asked < 100_000; asked += 1) yield new Uint8Array(65_536);
      await Promise.resolve();
    }
    const sending = server.client().ingestFile(packageId, "a", endless());
    const error = await sending.catch((thrown: unknown) => thrown);
    // A platform may give the broken pipe instead of the answer before it.
    expect(isStoreError(error, "path_conflict") || isStoreError(error, "storage_unavailable")).toBe(
      true,
    );
    expect(asked).toBeLessThan(100_000);
  });

  test("ends at once when the signal fires, and says so", async () => {
    const server = await openDouble(transport);
    server.answer(() => undefined);
    const stop = new AbortController();
    const verifying = server.client().verifyPackage(packageId, { signal: stop.signal });
    setTimeout(() => stop.abort("enough"), 20);
    await expect(verifying).rejects.toMatchObject({ code: "aborted", cause: "enough" });
    await expect(
      server.client().verifyPackage(packageId, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: "aborted" });
  });
});

test("says that nobody answers, and tries even what is unsafe, since nothing was sent", async () => {
  const server = await openDouble();
  await server.close();
  let attempts = 0;
  const client = createClient({
    url: server.url,
    retry: { ...quick, attempts: 3 },
    fetch: (url, init) => {
      attempts += 1;
      return fetch(url, init);
    },
  });
  await expect(client.createToken({ name: "ci" })).rejects.toMatchObject({
    code: "storage_unavailable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
  expect(attempts).toBe(3);
});

test("lets go of a connection on which the server wanted no more", async () => {
  const server = await openDouble();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  server.answer((request, response) => {
    request.socket.on("close", () => resolve());
    response.writeHead(403, { "content-length": 0 }).end();
  });
  async function* endless() {
    for (;;) yield new Uint8Array(65_536);
  }
  const sending = server.client().ingestFile(packageId, "a", endless());
  await expect(sending).rejects.toMatchObject({ code: "permission_denied" });
  await closed;
});

test("takes a server for gone that shows no sign of life, and asks again", async () => {
  const server = await openDouble();
  server.answer(() => undefined, json(200, page));
  expect(await server.client({ idleMs: 30 }).listPackages()).toEqual(page);
  expect(server.seen).toHaveLength(2);
});

test("is patient with a slow source, and with what reads all before it answers", async () => {
  const server = await openDouble();
  const { bytes, address, sha256 } = await sampleBytes(3);
  const added = { path: "a", size: 3, executable: false, content_address: address, sha256 };
  const report = { reference: "acme/app@1", package_id: packageId, file_count: 0, size: 0 };
  server.answer(json(201, { ...added, deduplicated: false }), async (request, response) => {
    await pause(100);
    await json(200, { ...report, problems: [] })(request, response);
  });
  const client = server.client({ idleMs: 30 });
  async function* slow() {
    for (const byte of bytes) {
      await pause(60);
      yield Uint8Array.of(byte);
    }
  }
  await client.ingestFile(packageId, "a", slow());
  await client.verifyPackage(packageId);
  expect(server.seen).toHaveLength(2);
});

test("gives up an upload of which the server takes nothing", async () => {
  const server = await openDouble();
  server.answer((request) => void request.pause());
  async function* endless() {
    for (;;) yield new Uint8Array(65_536);
  }
  const sending = server.client({ idleMs: 50 }).ingestFile(packageId, "a", endless());
  await expect(sending).rejects.toMatchObject({ code: "storage_unavailable" });
});

test("waits as long as the server asks, and not longer than allowed", async () => {
  const server = await openDouble();
  server.answer(problem(429, "rate_limited", { "retry-after": "3600" }));
  await expect(server.client().listPackages()).rejects.toMatchObject({ code: "rate_limited" });
  expect(server.seen).toHaveLength(1);
});

test("gives up after so many attempts", async () => {
  const server = await openDouble();
  server.answer(problem(503, "storage_unavailable"));
  const client = server.client({ retry: { attempts: 3, firstDelayMs: 1 } });
  await expect(client.listNames()).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(server.seen).toHaveLength(3);

  await expect(server.client({ retry: false }).listNames()).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  expect(server.seen).toHaveLength(4);
});

test.each([
  ["no JSON", json(200, undefined)],
  ["JSON of another shape", json(200, { items: "none" })],
  ["a page of a proxy", empty(200, { "content-type": "text/html" })],
  ["a redirect", empty(302, { location: "https://example.org/" })],
])("calls %s an answer that cannot be understood", async (_, answer) => {
  const server = await openDouble();
  server.answer(answer);
  await expect(server.client().listPackages()).rejects.toMatchObject({ code: "internal" });
  expect(server.seen).toHaveLength(1);
});

test.each([
  [401, "unauthenticated"],
  [403, "permission_denied"],
  [404, "route_not_found"],
  [418, "internal"],
])("reads the status %i of an answer without a problem as %s", async (status, code) => {
  const server = await openDouble();
  server.answer(empty(status));
  await expect(server.client().getPackage(packageId)).rejects.toMatchObject({ code });
});

test("takes a removal as done that an attempt without answer had done", async () => {
  const server = await openDouble();
  server.answer(cut, problem(404, "file_not_found"));
  await server.client().removeFile(packageId, "a");
  expect(server.seen).toHaveLength(2);
  await expect(server.client().removeFile(packageId, "a")).rejects.toMatchObject({
    code: "file_not_found",
  });
});

test("keeps a file's path a path, whatever is in it, and refuses what is none", async () => {
  const server = await openDouble();
  server.answer(empty(204));
  const client = server.client();
  await client.removeFile(packageId, "a b/ü?#%2e/c");
  expect(server.seen[0]?.url).toBe(`/api/v1/packages/${packageId}/files/a%20b/%C3%BC%3F%23%252e/c`);
  await expect(client.removeFile(packageId, "a/../b")).rejects.toMatchObject({
    code: "invalid_path",
  });
  await expect(client.removeFile("..", "a")).rejects.toMatchObject({ code: "invalid_argument" });
  await expect(client.getUser("\ud800")).rejects.toMatchObject({ code: "invalid_argument" });
});

test.each(["ftp://a/", "nothing", "http://u:p@a/", "http://a/?q", "http://a/#f"])(
  "refuses %s as a server's url",
  (url) => {
    expect(() => createClient({ url })).toThrow(StoreError);
  },
);

test("abandons only what is open", async () => {
  const server = await openDouble();
  server.answer(empty(204));
  await server.client().abandonPackage(packageId);
  expect(server.seen).toMatchObject([
    { method: "DELETE", url: `/api/v1/packages/${packageId}?status=open` },
  ]);
});

test("sets a tag on the name of the package, on its condition", async () => {
  const server = await openDouble();
  const tag = {
    namespace: "acme",
    name: "app",
    tag: "stable",
    reference: "acme/app@1.0.0",
    package_id: packageId,
    version: "1.0.0",
    manifest_digest: `blake3:${"0".repeat(64)}`,
    set_at: packageInfo.createdAt,
    set_by: "local",
  };
  server.answer(json(200, packageJson), json(200, tag));
  const client = server.client();
  await client.setTag({ packageId, tag: "stable" }, { expected: null });
  await client.setTag({ packageId, tag: "stable" }, { expected: "x" });
  expect(server.seen).toMatchObject([
    { method: "GET" },
    { method: "PUT", url: "/api/v1/names/acme/app/tags/stable", headers: { "if-none-match": "*" } },
    { method: "PUT", headers: { "if-match": '"x"' } },
  ]);
});
