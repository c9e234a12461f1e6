import { describe, expect, it } from "vitest";

import { exchangeText, openConnection } from "./connection.ts";
import { startTestServer } from "./service.ts";

const post = (...fields: string[]) =>
  ["POST /api/v1/packages HTTP/1.1", "Host: store", ...fields, "", ""].join("\r\n");
const get = (target: string, ...fields: string[]) =>
  [`GET ${target} HTTP/1.1`, "Host: store", ...fields, "", ""].join("\r\n");
const asOwner = ["Authorization: Bearer owner", "Content-Type: application/json"];
const next = get("/health", "Connection: close");

describe("a request that two readers could understand differently", () => {
  it.each([
    ["a length and chunks", `${post("Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`],
    ["chunks and a length", `${post("Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n`],
    ["two lengths", `${post("Content-Length: 5", "Content-Length: 6")}abcdef`],
    ["one length twice", `${post("Content-Length: 5", "Content-Length: 5")}abcde`],
    ["a signed length", `${post("Content-Length: +5")}abcde`],
    ["a list of lengths", `${post("Content-Length: 5, 5")}abcde`],
    ["a chunk that has no size", `${post(...asOwner, "Transfer-Encoding: chunked")}zz\r\nab\r\n`],
    ["a negative chunk", `${post(...asOwner, "Transfer-Encoding: chunked")}-1\r\nab\r\n`],
    [
      "a chunk too large to be",
      `${post(...asOwner, "Transfer-Encoding: chunked")}${"f".repeat(17)}\r\n`,
    ],
    ["a coding before chunked", `${post("Transfer-Encoding: gzip, chunked")}0\r\n\r\n`],
    ["a coding that is none", post("Transfer-Encoding: identity")],
    ["a coding that looks like chunked", `${post("Transfer-Encoding: xchunked")}0\r\n\r\n`],
    ["a space before a colon", `${post("Transfer-Encoding : chunked")}0\r\n\r\n`],
    ["a folded field", get("/health", "X-A: b\r\n c")],
    ["a NUL in a field", get("/health", "X-A: b\0c")],
    ["a NUL in the target", get("/hea\0lth")],
    ["bare line feeds", "GET /health HTTP/1.1\nHost: store\n\n"],
    ["a bare carriage return", get("/health", "X-A: b\rX-B: c")],
    ["no Host", "GET /health HTTP/1.1\r\n\r\n"],
    ["two Hosts", get("/health", "Host: other")],
    ["a Host that is none", "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n"],
    ["two credentials", get("/health", "Authorization: a", "Authorization: b")],
    ["dot segments", get("/docs/../health")],
    ["encoded dot segments", get("/docs/%2e%2E/health")],
    ["a backslash", get("/docs\\health")],
    ["a fragment", get("/health#top")],
    ["an encoding that is none", get("/health%zz")],
    ["an encoding of no text", get("/health%ff")],
    ["no version", "GET /health\r\n\r\n"],
    ["another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["no target", get("*")],
  ])("with %s is refused, and what follows is not answered", async (_, text) => {
    await using server = await startTestServer();
    const all = await exchangeText(server.port, `${text}${next}`);
    expect(all).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(all).toContain('"code":"invalid_argument"');
    expect(all).toMatch(/connection: close\r\n/i);
    expect(all.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1);
    expect(server.failures).toEqual([]);
  });

  it("with an expectation that is not met is refused", async () => {
    await using server = await startTestServer();
    const all = await exchangeText(server.port, get("/health", "Expect: pie"));
    expect(all).toMatch(/^HTTP\/1.1 417 /);
  });

  it("of HTTP/1.0 needs no Host, and a target may name one", async () => {
    await using server = await startTestServer();
    expect(await exchangeText(server.port, "GET /health HTTP/1.0\r\n\r\n")).toMatch(/ 200 OK/);
    const absolute = get("http://store.example.org/health", "Connection: close");
    expect(await exchangeText(server.port, absolute)).toMatch(/ 200 OK/);
  });
});

describe("a refused request whose body is still to come", () => {
  it("ends the connection, and its body is no request", async () => {
    await using server = await startTestServer();
    using connection = await openConnection(server.port);
    connection.send(`${post("Content-Length: 500000")}${get("/health")}`);
    const all = await connection.until(/"requestId":"[^"]+"}$/);
    expect(all).toMatch(/^HTTP\/1.1 401 /);
    expect(all).toMatch(/connection: close\r\n/);
    connection.socket.end();
    expect(await connection.closed()).toBe(all);
  });

  it("leaves a client that goes on sending time to read why", async () => {
    await using server = await startTestServer();
    using connection = await openConnection(server.port);
    connection.send(post("Content-Length: 100000000"));
    connection.send("x".repeat(4 * 1024 * 1024));
    expect(await connection.until(/"requestId":"[^"]+"}$/)).toMatch(/^HTTP\/1.1 401 /);
    await connection.closed();
    expect(server.answered[0]).toMatchObject({ status: 401, receivedBytes: 0 });
  });

  it("keeps the connection where the body has come whole", async () => {
    await using server = await startTestServer();
    const body = get("/metrics");
    const first = `${post(`Content-Length: ${body.length}`)}${body}`;
    const all = await exchangeText(server.port, `${first}${next}`);
    expect(all.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 401", "HTTP/1.1 200"]);
  });
});

describe("a client that waits to be told to send its body", () => {
  const body = JSON.stringify({ namespace: "acme", name: "app", version: "1" });
  const expecting = (...fields: string[]) =>
    post(...fields, `Content-Length: ${body.length}`, "Expect: 100-continue");

  it("is told once it is let in", async () => {
    await using server = await startTestServer();
    using connection = await openConnection(server.port);
    connection.send(expecting(...asOwner, "Connection: close"));
    await connection.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
    connection.send(body);
    expect(await connection.closed()).toMatch(/\r\n\r\nHTTP\/1.1 201 Created\r\n/);
  });

  it.each([
    ["who calls is not known", 401, []],
    ["the body is no JSON", 415, ["Authorization: Bearer owner", "Content-Type: text/plain"]],
    ["the body is too large", 413, [...asOwner, "X-A: b"]],
  ])("is not told where %s", async (_, status, fields) => {
    await using server = await startTestServer({ limits: { jsonBytes: 10 } });
    const all = await exchangeText(server.port, expecting(...fields));
    expect(all).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(all).not.toContain("100 Continue");
  });
});

describe("a request that ends in the middle", () => {
  it.each([
    ["of its body", `${post(...asOwner, "Content-Length: 100")}{"namesp`],
    ["of a chunk", `${post(...asOwner, "Transfer-Encoding: chunked")}64\r\n{"namesp`],
    ["of its header", "GET /health HTTP/1.1\r\nHost: st"],
  ])("%s changes nothing and is no failure", async (_, text) => {
    await using server = await startTestServer();
    using connection = await openConnection(server.port);
    connection.send(text);
    connection.socket.end();
    await connection.closed();
    expect(await (await server.call("owner", "/api/v1/packages")).json()).toEqual({ items: [] });
    expect(server.failures).toEqual([]);
  });
});
