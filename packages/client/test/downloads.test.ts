import { describe, expect, test } from "vitest";

import { openDouble, problem, transports } from "./double.ts";
import { gathered, packageId, sampleBytes } from "./samples.ts";
import { serving } from "./serving.ts";

describe.each(transports)("over %s", (transport) => {
  test("gives a whole file, verified, with what the headers say of it", async () => {
    const server = await openDouble(transport);
    const sample = await sampleBytes(300_000);
    server.answer((request, response) => {
      response.setHeader("store-executable", "true");
      response.setHeader("store-media-type", "text/html");
      return serving(sample)(request, response);
    });
    const client = server.client();
    const { file, verified, range, body } = await client.getFile(packageId, "bin/app");
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
    expect({ verified, range }).toEqual({ verified: "whole", range: { start: 0, end: 300_000 } });
    expect(file).toEqual({
      path: "bin/app",
      sizeBytes: 300_000,
      executable: true,
      mediaType: "text/html",
      address: sample.address,
      sha256: sample.sha256,
    });
    expect(await client.statFile(packageId, "bin/app")).toEqual(file);
  });

  test("goes on where a whole read broke off, again and again, and still verifies it", async () => {
    const server = await openDouble(transport);
    const sample = await sampleBytes(1_000_000);
    // More cuts than attempts: each step forward begins them anew.
    server.answer(serving(sample, (attempt) => (attempt < 9 ? 100_000 : Infinity)));
    const { body } = await server.client().getFile(packageId, "a");
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
    expect(server.seen).toHaveLength(10);
    expect(server.seen[1]?.headers).toMatchObject({
      range: "bytes=100000-999999",
      "if-range": `"${sample.address}"`,
    });
  });

  test("gives the last bytes only of an object that is whole", async () => {
    const server = await openDouble(transport);
    const sample = await sampleBytes(300_000);
    const spoilt = sample.bytes.slice();
    spoilt[0] = ~(spoilt[0] ?? 0);
    server.answer(serving(sample, undefined, () => spoilt));
    const { body } = await server.client().getFile(packageId, "a");
    let sizeBytes = 0;
    const reading = (async () => {
      for await (const chunk of body) sizeBytes += chunk.byteLength;
    })();
    await expect(reading).rejects.toMatchObject({
      code: "object_corrupt",
      context: { expected: sample.address },
    });
    expect(sizeBytes).toBeLessThan(300_000);
  });

  test("gives a range, resumed too, and nothing of an empty one", async () => {
    const server = await openDouble(transport);
    const sample = await sampleBytes(300_000);
    server.answer(serving(sample, (attempt) => (attempt === 0 ? 50_000 : Infinity)));
    const client = server.client();
    const range = { start: 1_000, end: 201_000 };
    const part = await client.getFile(packageId, "a", { range });
    expect(part).toMatchObject({ verified: "none", range, file: { sizeBytes: 300_000 } });
    expect(await gathered(part.body)).toEqual(Buffer.from(sample.bytes.slice(1_000, 201_000)));
    expect(server.seen[1]?.headers.range).toBe("bytes=51000-200999");

    const nothing = await client.getFile(packageId, "a", {
      range: { start: 300_000, end: 300_000 },
    });
    expect(await gathered(nothing.body)).toHaveLength(0);
  });

  test("ends the transfer when its reader leaves, or its signal fires", async () => {
    const server = await openDouble(transport);
    const sample = await sampleBytes(100_000);
    const closed: Promise<unknown>[] = [];
    server.answer((_, response) => {
      closed.push(new Promise((resolve) => response.once("close", resolve)));
      response.writeHead(200, { ...sample.headers, "content-length": 1e9 });
      response.write(sample.bytes);
    });
    const client = server.client();
    for await (const _ of (await client.getFile(packageId, "a")).body) break;
    await closed[0];

    const stop = new AbortController();
    const { body } = await client.getFile(packageId, "a", { signal: stop.signal });
    const reading = gathered(body);
    setTimeout(() => stop.abort(), 20);
    await expect(reading).rejects.toMatchObject({ code: "aborted" });
    await closed[1];
  });
});

test("refuses to join the bytes of two objects", async () => {
  const server = await openDouble();
  const [one, other] = [await sampleBytes(200_000, 1), await sampleBytes(200_000, 2)];
  const cut = serving(one, () => 100_000);
  server.answer(cut, serving(other));
  const { body } = await server.client().getFile(packageId, "a");
  await expect(gathered(body)).rejects.toMatchObject({ code: "source_changed" });
});

test("takes what it needs of a server that does not heed ranges", async () => {
  const server = await openDouble();
  const sample = await sampleBytes(200_000);
  server.answer((_, response) => {
    response.writeHead(200, { ...sample.headers, "content-length": sample.bytes.byteLength });
    response.end(sample.bytes);
  });
  const range = { start: 70_000, end: 150_000 };
  const { body } = await server.client().openObject(sample.address, { range });
  expect(await gathered(body)).toEqual(Buffer.from(sample.bytes.slice(70_000, 150_000)));
});

test("goes on with another connection where one falls silent", async () => {
  const server = await openDouble();
  const sample = await sampleBytes(200_000);
  server.answer((_, response) => {
    response.writeHead(200, { ...sample.headers, "content-length": 200_000 });
    response.write(sample.bytes.subarray(0, 100_000));
  }, serving(sample));
  const { body } = await server.client({ idleMs: 50 }).getFile(packageId, "a");
  expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
});

test("gives up a read that never gets further", async () => {
  const server = await openDouble();
  const sample = await sampleBytes(200_000);
  server.answer(serving(sample, (attempt) => (attempt === 0 ? 100_000 : 0)));
  const { body } = await server.client().getFile(packageId, "a");
  await expect(gathered(body)).rejects.toMatchObject({ code: "storage_unavailable" });
});

test("refuses a range that is none before asking, and one beyond the file", async () => {
  const server = await openDouble();
  const sample = await sampleBytes(10);
  server.answer(serving(sample));
  const client = server.client();
  for (const range of [{ start: -1 }, { start: 5, end: 4 }, { start: 0.5 }]) {
    await expect(client.getFile(packageId, "a", { range })).rejects.toMatchObject({
      code: "invalid_range",
    });
  }
  expect(server.seen).toHaveLength(0);
  await expect(
    client.getFile(packageId, "a", { range: { start: 11, end: 11 } }),
  ).rejects.toMatchObject({ code: "invalid_range" });
});

test.each(["etag", "repr-digest", "content-length"])("misses the header %s", async (name) => {
  const server = await openDouble();
  const sample = await sampleBytes(10);
  server.answer((_, response) => {
    const headers: Record<string, string> = { ...sample.headers, "content-length": "10" };
    delete headers[name];
    response.writeHead(200, headers).end(sample.bytes);
  });
  await expect(server.client().getFile(packageId, "a")).rejects.toMatchObject({ code: "internal" });
});

test("learns why a stat was refused", async () => {
  const server = await openDouble();
  server.answer(problem(404, "file_not_found"));
  await expect(server.client().statFile(packageId, "a")).rejects.toMatchObject({
    code: "file_not_found",
  });
  expect(server.seen.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
});
