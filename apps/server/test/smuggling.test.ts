import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { exchangeText, openConnection } from "./connection.ts";
import { startTestServer, type TestServer } from "./service.ts";

const owner = "Authorization: Bearer owner";
const smuggledBody = JSON.stringify({ namespace: "acme", name: "smuggled", version: "1" });
/** What an attacker hides in a body: it would make a package, with the credential of a victim. */
const smuggled = [
  "POST /api/v1/packages HTTP/1.1",
  "Host: store",
  owner,
  "Content-Type: application/json",
  `Content-Length: ${smuggledBody.length}`,
  "",
  smuggledBody,
].join("\r\n");

const head = (line: string, ...fields: readonly string[]) =>
  [line, "Host: store", owner, ...fields, "", ""].join("\r\n");
const post = (...fields: readonly string[]) =>
  head("POST /api/v1/packages HTTP/1.1", "Content-Type: application/json", ...fields);
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ limits: { idleTimeoutMs: 2_000, headersTimeoutMs: 2_000 } });
});
afterAll(() => server[Symbol.asyncDispose]());

let logSize = 0;
beforeEach(async () => {
  logSize = (await server.registry.head()).size;
});

async function nothingChanged(): Promise<void> {
  const list = await server.call("owner", "/api/v1/packages");
  expect(await list.json()).toEqual({ items: [] });
  expect((await server.registry.head()).size).toBe(logSize);
  expect(server.failures).toEqual([]);
}

/** Sends a text, half-closes, and gives the statuses of all that was answered. */
async function statusesOf(text: string): Promise<number[]> {
  using connection = await openConnection(server.port);
  connection.send(text);
  connection.socket.end();
  const all = await connection.closed();
  return [...all.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}

describe("a request whose end two readers could see at two places", () => {
  it.each([
    ["a length in hex", post("Content-Length: 0x5")],
    ["a length in the form of a float", post("Content-Length: 5e0")],
    ["a length below zero", post("Content-Length: -5")],
    ["no length at all where one is named", post("Content-Length: ")],
    ["a length beyond all integers", post(`Content-Length: ${"9".repeat(40)}`)],
    ["a length of 2 to the 64th", post("Content-Length: 18446744073709551616")],
    ["a length that is folded", post("Content-Length: 5\r\n 6")],
    ["a length behind a vertical tab", post("Content-Length: \x0b5")],
    ["a length in other digits", post("Content-Length: \xb2")],
    ["a tab before the colon", post("Content-Length\t: 5")],
    ["a name with a NUL", post("Content-Length\0: 5")],
    ["a name with a space", post("Content Length: 5")],
    ["chunked twice in one field", post("Transfer-Encoding: chunked, chunked")],
    ["chunked in two fields", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")],
    ["chunked in quotes", post('Transfer-Encoding: "chunked"')],
    ["chunked with a parameter", post("Transfer-Encoding: chunked;q=1")],
    ["chunked behind a vertical tab", post("Transfer-Encoding: \x0bchunked")],
    ["chunked and nothing", post("Transfer-Encoding: chunked,")],
    ["chunked before identity", post("Transfer-Encoding: chunked, identity")],
    ["an empty coding, and a length", post("Transfer-Encoding: ", "Content-Length: 0")],
    ["a folded coding", post("Transfer-Encoding:\r\n chunked")],
    ["chunked in HTTP/1.0", post("Transfer-Encoding: chunked").replace("HTTP/1.1", "HTTP/1.0")],
  ])("by %s is refused, and ends the connection", async (_, text) => {
    const statuses = await statusesOf(`${text}0\r\n\r\n${smuggled}`);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    expect(statuses[0]).toBeLessThan(500);
    await nothingChanged();
  });

  const coded = post("Transfer-Encoding: chunked");
  it.each([
    ["a size with a sign", "+5\r\nhello\r\n0\r\n\r\n"],
    ["a size in the form 0x", "0x5\r\nhello\r\n0\r\n\r\n"],
    ["a size with an underscore", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"],
    ["a size behind a space", " 5\r\nhello\r\n0\r\n\r\n"],
    ["a size that wraps around", `${"f".repeat(16)}5\r\nhello\r\n0\r\n\r\n`],
    ["a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
    ["a chunk shorter than its size", "6\r\nhello\r\n0\r\n\r\n"],
    ["a bare line feed after the size", "5\nhello\r\n0\r\n\r\n"],
    ["a bare line feed after the chunk", "5\r\nhello\n0\r\n\r\n"],
    ["a bare line feed in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n"],
    ["a carriage return in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"],
    ["no size", "\r\nhello\r\n0\r\n\r\n"],
  ])("by %s in a chunk is refused, and ends the connection", async (_, body) => {
    const statuses = await statusesOf(`${coded}${body}${smuggled}`);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBe(400);
    await nothingChanged();
  });

  it.each([
    ["Content-Length: 500", "X-A: b"],
    ["Transfer-Encoding: chunked", "Host: other"],
    ["Authorization: Bearer nobody", "Content-Type: text/plain"],
  ])("by fields behind its chunks is read as it was begun: %s, %s", async (...trailers) => {
    const text = `${coded}${chunked("no JSON")}0\r\n${trailers.join("\r\n")}\r\n\r\n`;
    const statuses = await statusesOf(`${text}${head("GET /health HTTP/1.1")}`);
    expect(statuses[0]).toBe(400);
    expect(statuses.slice(1).every((status) => status === 200)).toBe(true);
    await nothingChanged();
  });
});

describe("a body that holds a request", () => {
  it.each(["GET", "HEAD", "DELETE", "OPTIONS"])("of %s is never answered", async (method) => {
    const request = head(
      `${method} /api/v1/packages HTTP/1.1`,
      `Content-Length: ${smuggled.length}`,
    );
    const statuses = await statusesOf(request + smuggled);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    await nothingChanged();
  });

  it.each(["/health", "/docs", "/openapi.json", "/nowhere"])(
    "of a GET of %s is never answered, though everybody may ask there",
    async (path) => {
      const request = head(`GET ${path} HTTP/1.1`, `Content-Length: ${smuggled.length}`);
      expect((await statusesOf(request + smuggled)).length).toBeLessThanOrEqual(1);
      await nothingChanged();
    },
  );
});

describe("a request that is another where a proxy stands before the server", () => {
  it.each([
    ["another path in a field", head("GET /health HTTP/1.1", "X-Original-URL: /metrics")],
    ["another path in another field", head("GET /health HTTP/1.1", "X-Rewrite-URL: /metrics")],
    ["another host", head("GET /health HTTP/1.1", "X-Forwarded-Host: evil.example.org")],
    ["another address", head("GET /health HTTP/1.1", "X-Forwarded-For: 10.0.0.1, \0")],
  ])("by %s is none here", async (_, text) => {
    const all = await exchangeText(server.port, text.replace(owner, "Connection: close"));
    expect(all).toMatch(/^HTTP\/1\.1 (200|400) /);
    expect(all).not.toContain("evil.example.org");
  });

  it.each(["PUT", "PATCH", "DELETE"])("by a method override is none here: %s", async (method) => {
    const fields = [`X-HTTP-Method-Override: ${method}`, "X-Method-Override: DELETE"];
    const statuses = await statusesOf(head("POST /health HTTP/1.1", ...fields));
    expect(statuses).toEqual([405]);
  });

  it.each([
    ["an upgrade to HTTP/2", ["Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Connection: Upgrade"]],
    [
      "an upgrade to a socket",
      ["Upgrade: websocket", "Sec-WebSocket-Key: a", "Connection: Upgrade"],
    ],
  ])("by %s is answered as what it is", async (_, fields) => {
    const statuses = await statusesOf(head("GET /health HTTP/1.1", ...fields) + smuggled);
    expect(statuses[0]).not.toBe(101);
    expect(statuses.includes(201)).toBe(statuses.length > 1);
    for (const { id } of (await server.registry.listPackages()).items) {
      await server.registry.abandonPackage(id);
    }
    logSize = (await server.registry.head()).size;
    await nothingChanged();
  });
});

describe("bytes that are no HTTP", () => {
  it.each([
    ["of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"],
    ["of HTTP/0.9", "GET /health\r\n"],
    ["of HTTP/3", "GET /health HTTP/3\r\n\r\n"],
    ["of SSH", "SSH-2.0-OpenSSH_9.9\r\n"],
    ["with a method of its own", head("SMUGGLE /health HTTP/1.1")],
    ["with a method in lowercase", head("get /health HTTP/1.1")],
    ["with a NUL in the method", head("GE\0T /health HTTP/1.1")],
    ["with tabs", head("GET\t/health\tHTTP/1.1")],
    ["with a tunnel", head("CONNECT store:443 HTTP/1.1")],
    ["with nothing but line ends", "\r\n".repeat(1_000)],
    ["with nothing but NULs", "\0".repeat(100_000)],
  ])("%s are refused, and nothing hangs", async (_, text) => {
    const statuses = await statusesOf(text);
    expect(statuses.length).toBeLessThanOrEqual(1);
    for (const status of statuses) expect([400, 404, 405]).toContain(status);
    await nothingChanged();
  });
});

describe("a flood of header fields", () => {
  const flood = (count: number, field: string) =>
    `GET /health HTTP/1.1\r\nHost: store\r\n${`${field}\r\n`.repeat(count)}\r\n`;
  it.each([
    ["of 100,000 fields", flood(100_000, "X-A: b"), 431],
    ["of 100,000 ranges, one in each", flood(100_000, "Range: bytes=0-0"), 431],
    ["of a few ranges, one in each", flood(20, "Range: bytes=0-0"), 400],
    ["of empty fields", flood(100_000, "X:"), 431],
    ["of cookies", flood(5_000, `Cookie: ${"a=b;".repeat(50)}`), 431],
    ["that is one name", `GET /health HTTP/1.1\r\n${"x".repeat(1_000_000)}`, 431],
    ["that is one value", `GET /health HTTP/1.1\r\nX: ${"x".repeat(1_000_000)}`, 431],
    ["that is one target", `GET /${"x".repeat(1_000_000)}`, 431],
    ["that is one query", head(`GET /health?${"a=b&".repeat(3_000)} HTTP/1.1`), 414],
    [
      "behind the chunks of a body",
      `${post("Transfer-Encoding: chunked")}0\r\n${"X-A: b\r\n".repeat(100_000)}\r\n`,
      431,
    ],
    [
      "of extensions of a chunk",
      `${post("Transfer-Encoding: chunked")}1;${"a=b;".repeat(100_000)}\r\nx\r\n0\r\n\r\n`,
      413,
    ],
  ])("%s is refused", async (_, text, status) => {
    using connection = await openConnection(server.port);
    connection.send(text);
    expect(await connection.until(/^HTTP\/1\.1 \d{3}/)).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
    connection.socket.destroy();
    await nothingChanged();
  });
});

describe("many requests on one connection", () => {
  it("are answered in their order, each once", async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `request-${index}`);
    const all = ids.map((id, index) =>
      head(
        "GET /health HTTP/1.1",
        `X-Request-Id: ${id}`,
        index === ids.length - 1 ? "Connection: close" : "X-A: b",
      ),
    );
    const text = await exchangeText(server.port, all.join(""));
    expect([...text.matchAll(/^x-request-id: (\S+)/gm)].map(([, id]) => id)).toEqual(ids);
  });
});
