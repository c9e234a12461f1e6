import { describe, expect, it } from "vitest";

import { openConnection } from "./connection.ts";
import { openTestRegistry } from "./instance.ts";
import { startTestServer, type TestServerOptions } from "./service.ts";

const json = (body: string) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body,
});
const head = (...lines: string[]) => [...lines, "Host: store", "", ""].join("\r\n");
const asOwner = ["Authorization: Bearer owner", "Content-Type: application/json"];

describe("a request that is too large", () => {
  it("in its body is refused before the body is read, or where it goes too far", async () => {
    await using server = await startTestServer({ limits: { jsonBytes: 1000 } });
    const text = JSON.stringify({ namespace: "a".repeat(1000) });
    const declared = await server.call("owner", "/api/v1/packages", json(text));
    expect(declared.status).toBe(413);
    expect(await declared.json()).toMatchObject({
      code: "limit_exceeded",
      context: { limit: 1000 },
    });

    using connection = await openConnection(server.port);
    connection.send(
      head("POST /api/v1/packages HTTP/1.1", ...asOwner, "Transfer-Encoding: chunked"),
    );
    const chunk = `100\r\n${"x".repeat(256)}\r\n`;
    connection.send(chunk.repeat(5));
    expect(await connection.until(/limit_exceeded/)).toMatch(/^HTTP\/1.1 413 /);
  });

  it("in its depth is refused, however deep", async () => {
    await using server = await startTestServer();
    for (const depth of [65, 100_000]) {
      const metadata = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
      const text = `{"namespace":"acme","name":"app","version":"1","metadata":${metadata}}`;
      const response = await server.call("owner", "/api/v1/packages", json(text));
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: "limit_exceeded" });
    }
  });

  it("in its header is refused", async () => {
    await using server = await startTestServer({ limits: { headerBytes: 2000 } });
    const response = await server.call(undefined, "/health", {
      headers: { "x-large": "a".repeat(3000) },
    });
    expect(response.status).toBe(431);
    expect(await response.json()).toMatchObject({ status: 431, code: "limit_exceeded" });
  });

  it("in the number of its header fields is refused", async () => {
    await using server = await startTestServer({ limits: { headerBytes: 1_000_000 } });
    using connection = await openConnection(server.port);
    const fields = Array.from({ length: 10_000 }, (_, index) => `X-${index}: 1`);
    connection.send(head("GET /health HTTP/1.1", ...fields));
    const all = await connection.closed();
    expect(all).toMatch(/^HTTP\/1.1 431 /);
    expect(all).toContain('"limit":100');
  });

  it("in its target is refused", async () => {
    await using server = await startTestServer({ limits: { urlBytes: 300 } });
    const response = await server.call(undefined, `/${"a".repeat(300)}`);
    expect(response.status).toBe(414);
    expect(await response.json()).toMatchObject({ status: 414, code: "limit_exceeded" });
  });
});

describe("a file that is uploaded", () => {
  const open = async (options: TestServerOptions = {}) => {
    const server = await startTestServer(options);
    const coordinates = { namespace: "acme", name: "app", version: "1" };
    const { id } = await server.registry.createPackage(coordinates);
    const put = (...fields: string[]) =>
      head(`PUT /api/v1/packages/${id}/files/a HTTP/1.1`, "Authorization: Bearer owner", ...fields);
    return { server, put, files: async () => (await server.registry.listFiles(id)).items };
  };

  it("is refused before it is sent where it is too large, or as soon as it is", async () => {
    const environment = { STORE_MAX_OBJECT_BYTES: "10" };
    const { server, put, files } = await open({ environment });
    await using _ = server;
    using waiting = await openConnection(server.port);
    waiting.send(put("Content-Length: 11", "Expect: 100-continue"));
    expect(await waiting.closed()).toMatch(/^HTTP\/1.1 413 /);
    using sending = await openConnection(server.port);
    sending.send(`${put("Transfer-Encoding: chunked")}b\r\n01234567890\r\n`);
    expect(await sending.closed()).toMatch(/^HTTP\/1.1 413 /);
    expect(await files()).toEqual([]);
  });

  it("is cut off where nothing more of it comes, and may take its time where something does", async () => {
    const { server, put, files } = await open({ limits: { idleTimeoutMs: 300 } });
    await using _ = server;
    using silent = await openConnection(server.port);
    silent.send(`${put("Content-Length: 30")}0123456789`);
    using slow = await openConnection(server.port);
    slow.send(put("Content-Length: 30", "Connection: close"));
    for (let sent = 0; sent < 30; sent += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      slow.send("x");
    }
    expect(await slow.closed()).toMatch(/^HTTP\/1.1 201 /);
    expect(await silent.closed()).toMatch(/^HTTP\/1.1 408 /);
    expect(await files()).toMatchObject([{ path: "a", sizeBytes: 30 }]);
  });

  it("leaves nothing where the client goes away, which is nobody's failure", async () => {
    const { server, put, files } = await open();
    await using _ = server;
    using leaving = await openConnection(server.port);
    leaving.send(`${put("Content-Length: 30")}0123456789`);
    await expect.poll(() => server.registry.health()).toMatchObject({ healthy: true });
    leaving.socket.destroy();
    await expect.poll(() => server.answered).toMatchObject([{ outcome: "gone" }]);
    expect(await files()).toEqual([]);
    expect(server.failures).toEqual([]);
  });
});

describe("a client that takes its time", () => {
  it("over its header is cut off", async () => {
    await using server = await startTestServer({ limits: { headersTimeoutMs: 100 } });
    using connection = await openConnection(server.port);
    connection.send("GET /health HTTP/1.1\r\nHo");
    const all = await connection.closed();
    expect(all).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(all).toContain('"code":"request_timeout"');
  });

  it("over a body of which nothing more comes is cut off, and told so", async () => {
    await using server = await startTestServer({ limits: { idleTimeoutMs: 100 } });
    using connection = await openConnection(server.port);
    connection.send(`${head("POST /api/v1/packages HTTP/1.1", ...asOwner, "Content-Length: 99")}{`);
    const all = await connection.closed();
    expect(all).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(all).toContain('"code":"request_timeout"');
    expect(all).toMatch(/connection: close/);
  });

  it("over a JSON body as a whole is cut off, though it sends now and then", async () => {
    await using server = await startTestServer({ limits: { bodyTimeoutMs: 200 } });
    using connection = await openConnection(server.port);
    connection.send(head("POST /api/v1/packages HTTP/1.1", ...asOwner, "Content-Length: 9999"));
    const drip = setInterval(() => connection.send(" "), 20);
    expect(await connection.until(/request_timeout/)).toMatch(/^HTTP\/1.1 408 /);
    clearInterval(drip);
  });

  it("to read what it asked for is cut off", async () => {
    const text = "a metric 1\n".repeat(4 * 1024 * 1024);
    await using server = await startTestServer({
      limits: { idleTimeoutMs: 100 },
      metricsText: async () => text,
    });
    using connection = await openConnection(server.port);
    connection.socket.pause();
    connection.send(head("GET /metrics HTTP/1.1", "Authorization: Bearer watcher"));
    await expect.poll(() => server.answered.length, { timeout: 10_000 }).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    connection.socket.resume();
    expect((await connection.closed()).length).toBeLessThan(text.length);
  });

  it("between two requests loses its connection", async () => {
    await using server = await startTestServer({ limits: { keepAliveTimeoutMs: 50 } });
    using connection = await openConnection(server.port);
    connection.send(head("GET /health HTTP/1.1"));
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });
});

describe("too many", () => {
  it("requests at once are refused, but not the question whether the process answers", async () => {
    await using opened = await openTestRegistry();
    const health = Promise.withResolvers<void>();
    const registry = {
      ...opened,
      health: async () => {
        await health.promise;
        return await opened.health();
      },
    };
    await using server = await startTestServer({ registry, limits: { requests: 2 } });
    const waiting = [1, 2].map(() => server.call(undefined, "/health/ready"));
    await expect.poll(async () => (await server.call(undefined, "/openapi.json")).status).toBe(429);
    const refused = await server.call("owner", "/api/v1/packages");
    expect(await refused.json()).toMatchObject({ code: "rate_limited" });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await server.call(undefined, "/health")).status).toBe(200);
    health.resolve();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await server.call("owner", "/api/v1/packages")).status).toBe(200);
  });

  it("connections are closed at once", async () => {
    await using server = await startTestServer({ limits: { connections: 1 } });
    using first = await openConnection(server.port);
    first.send(head("GET /health HTTP/1.1"));
    await first.until(/"ok"/);
    using second = await openConnection(server.port);
    expect(await second.closed()).toBe("");
  });
});
