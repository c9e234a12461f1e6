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
  megabyte,
  publish,
  reading,
} from "./download.ts";
import { rawRequest } from "./raw-request.ts";

describe("a part of a download", () => {
  it.each([
    ["bytes=0-0", 0, 1],
    ["bytes=100-1048999", 100, 1049000],
    ["bytes=2097152-", 2 * megabyte, content.length],
    ["bytes=-5", content.length - 5, content.length],
    ["bytes=0-", 0, content.length],
    ["bytes=10-20,15-40", 10, 41],
  ])("%s is what was asked for", async (range, start, end) => {
    await using server = await openByteServer();
    const response = await get(server, await publish(server.registry), { range });
    expect(response.status).toBe(206);
    expect(fieldsOf(response)).toMatchObject({
      "content-range": `bytes ${start}-${end - 1}/${content.length}`,
      "content-length": String(end - start),
      "content-type": "application/x-thing",
      "repr-digest": digestHeader,
      "store-verified": range === "bytes=0-" ? "whole" : "none",
      etag: `"${address}"`,
    });
    expect(response.headers.has("content-digest")).toBe(false);
    expect((await bytesOf(response)).equals(content.subarray(start, end))).toBe(true);
  });

  it("of several ranges is multipart, in the order asked for", async () => {
    await using server = await openByteServer();
    const range = "bytes=1048570-1048580, 0-9, -7";
    const response = await get(server, await publish(server.registry), { range });
    expect(response.status).toBe(206);
    expect(response.headers.has("content-range")).toBe(false);
    expect(response.headers.get("store-verified")).toBe("none");
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(
      response.headers.get("content-type") ?? "",
    )?.[1];
    const body = await bytesOf(response);
    expect(response.headers.get("content-length")).toBe(String(body.length));
    const parts = [
      [1048570, 1048581],
      [0, 10],
      [content.length - 7, content.length],
    ] as const;
    const expected = parts.map(([start, end], index) =>
      Buffer.concat([
        Buffer.from(
          `${index === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: application/x-thing\r\n` +
            `Content-Range: bytes ${start}-${end - 1}/${content.length}\r\n\r\n`,
        ),
        content.subarray(start, end),
      ]),
    );
    expect(body.equals(Buffer.concat([...expected, Buffer.from(`\r\n--${boundary}--\r\n`)]))).toBe(
      true,
    );
  });

  it("beyond the end is refused, with the size", async () => {
    await using server = await openByteServer();
    const range = `bytes=${content.length}-`;
    const response = await get(server, await publish(server.registry), { range });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe(`bytes */${content.length}`);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ code: "invalid_range", status: 416 });
  });

  it("of a hundred thousand ranges costs nothing", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry);
    const range = (count: number) =>
      `bytes=${Array.from({ length: count }, (_, at) => `${at * 300}-${at * 300}`).join()}`;
    const many = await rawRequest(server.port, [
      `GET ${path} HTTP/1.1`,
      `range: ${range(100_000)}`,
    ]);
    // A client that is still sending may see no more than the end of the connection.
    expect(many).toMatch(/^(HTTP\/1\.1 431 |$)/);
    const some = await get(server, path, { range: range(500) });
    expect([some.status, some.headers.get("content-length")]).toEqual([200, `${content.length}`]);
    await some.arrayBuffer();
  });

  it("counts only where If-Range names the bytes that are there", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry);
    const asked = async (ifRange: string) => {
      const response = await get(server, path, { range: "bytes=0-1", "if-range": ifRange });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await asked(`"${address}"`)).toBe(206);
    expect(await asked(`W/"${address}"`)).toBe(200);
    expect(await asked("Wed, 21 Oct 2015 07:28:00 GMT")).toBe(200);
  });

  it("is not asked for by HEAD", async () => {
    await using server = await openByteServer();
    const path = await publish(server.registry);
    const response = await fetch(server.url + path, {
      method: "HEAD",
      headers: { range: "bytes=0-1" },
    });
    expect([response.status, response.headers.get("content-length")]).toEqual([
      200,
      String(content.length),
    ]);
  });

  it("of a file that is replaced meanwhile is cut, not mixed", async () => {
    const memory = createMemoryBackend();
    const replaced = Promise.withResolvers<void>();
    const slow = reading(memory, async function* (...asked) {
      for await (const chunk of memory.open(...asked)) {
        yield chunk;
        await replaced.promise;
      }
    });
    await using server = await openByteServer(slow);
    const { registry } = server;
    const path = await publish(registry, { finalize: false, path: "a" });
    const packageId = path.split("/")[4] ?? "";
    const response = await get(server, path, { range: "bytes=0-9,1000-1009" });
    expect(response.status).toBe(206);
    const other = (async function* () {
      yield Buffer.from(content).reverse();
    })();
    await registry.ingestFile(packageId, "a", other, { replace: true });
    replaced.resolve();
    await expect(response.arrayBuffer()).rejects.toThrow("terminated");
    expect(server.failures).toMatchObject([{ code: "source_changed" }]);
  });
});
