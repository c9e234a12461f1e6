import { once } from "node:events";
import { request } from "node:http";

import { describe, expect, it, vi } from "vitest";

import { openByteServer } from "./byte-server.ts";
import { nothingIsLeft, openPackage, put } from "./put.ts";
import { rawRequest } from "./raw-request.ts";

describe("a body that is not what it should be", () => {
  it("leaves nothing where the client goes away in the middle", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const { hostname, port } = new URL(server.url);
    const asking = request({ hostname, port, method: "PUT", path: `${files}/a` });
    asking.on("error", () => undefined);
    asking.setHeader("content-length", 10_000_000);
    asking.write(Buffer.alloc(4_000_000));
    await vi.waitFor(async () => {
      expect(await Array.fromAsync(server.storage.listStaged())).toHaveLength(1);
    });
    asking.destroy();
    await vi.waitFor(async () => expect(await nothingIsLeft(server)).toBe(true));
    expect((await server.registry.listFiles(files.split("/")[4] ?? "")).items).toEqual([]);
  });

  it("is no file where it is shorter than its length", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    await rawRequest(server.port, [`PUT ${files}/a HTTP/1.1`, "content-length: 10"], "hello", {
      hangUp: true,
    });
    await vi.waitFor(async () => expect(await nothingIsLeft(server)).toBe(true));
    expect((await fetch(`${server.url}${files}/a`)).status).toBe(404);
  });

  it("is read no further than its length, and what follows is no second file", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const second = `PUT ${files}/smuggled HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx`;
    const answer = await rawRequest(
      server.port,
      [`PUT ${files}/a HTTP/1.1`, "content-length: 5"],
      `hello${second}`,
    );
    // Node sees more than the client promised, and may end the connection for that first.
    expect(answer).toMatch(/^HTTP\/1\.1 (201|400) /);
    expect(answer.match(/HTTP\/1\.1 2/g)?.length ?? 0).toBeLessThan(2);
    expect((await fetch(`${server.url}${files}/smuggled`)).status).toBe(404);
  });

  it.each([
    ["content-length: 5", "transfer-encoding: chunked"],
    ["content-length: 5", "content-length: 6"],
    ["content-length: +5"],
    ["content-length: 5, 5"],
    ["transfer-encoding: chunked, identity"],
    ["transfer-encoding: xchunked"],
  ])("is refused where two could read it in two ways: %s %s", async (...fields) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const answer = await rawRequest(
      server.port,
      [`PUT ${files}/a HTTP/1.1`, ...fields],
      "5\r\nhello\r\n0\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 (400|501) /);
    expect((await fetch(`${server.url}${files}/a`)).status).toBe(404);
  });

  it("is refused early where the file cannot be added, and the client reads why", async () => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    await put(server, `${files}/a`);
    const { hostname, port } = new URL(server.url);
    const asking = request({ hostname, port, method: "PUT", path: `${files}/a` });
    asking.setHeader("content-length", 1_000_000_000);
    asking.on("error", () => undefined);
    asking.write(Buffer.alloc(100_000));
    const [answer] = (await once(asking, "response")) as [{ statusCode: number }];
    expect(answer.statusCode).toBe(409);
    asking.destroy();
  });
});

describe("a path of a file", () => {
  it.each([
    "..%2fa",
    "a%2f..%2fb",
    "%2e%2e%2fa",
    "a/%2e%2e/b",
    "a%2f",
    "%2fetc%2fpasswd",
    "a//b",
    "a%00b",
    "a%0ab",
    "a%5cb",
    "..%5ca",
    "%c0%ae%c0%ae%2fa",
    "%e0%80%af",
    "a%ff",
    "%",
    "e%cc%81",
    "a".repeat(256),
    "%7f",
    ".",
    "..",
    "...",
    "CON",
  ])("that could be another is refused: %s", async (path) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const lines = [`PUT ${files}/${path} HTTP/1.1`, "content-length: 5"];
    expect(await rawRequest(server.port, lines, "hello")).toMatch(/^HTTP\/1\.1 (400|404) /);
    expect((await server.registry.listFiles(files.split("/")[4] ?? "")).items).toEqual([]);
  });

  it.each([
    ["%252e%252e%252fa", "%2e%2e%2fa"],
    ["a%2fb", "a/b"],
    ["%25", "%"],
    ["a+b", "a+b"],
    ["a%3Fb%23c", "a?b#c"],
    ["%F0%9F%9A%80", "🚀"],
  ])("is decoded once: %s is %s", async (encoded, path) => {
    await using server = await openByteServer();
    const files = await openPackage(server);
    const added = await put(server, `${files}/${encoded}`);
    expect(added).toMatchObject({ status: 201, json: { path } });
    const location = added.headers.get("location") ?? "";
    expect(await (await fetch(server.url + location)).text()).toBe("hello");
  });
});
