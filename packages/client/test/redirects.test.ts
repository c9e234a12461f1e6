import { describe, expect, test } from "vitest";

import { createClient, fetchTransport } from "../src/index.ts";
import { openDouble, quick, transports, type Answer, type Double } from "./double.ts";
import { gathered, packageId, sampleBytes, type Sample } from "./samples.ts";
import { serving } from "./serving.ts";

/** Leads to a place, unless the client does not want that. */
function leading({ url }: Pick<Double, "url">, sample: Sample): Answer {
  const direct = serving(sample);
  return (request, response) => {
    if (request.headers["store-redirect"] === "never") return direct(request, response);
    const { etag, "repr-digest": digest } = sample.headers;
    const said = { etag, "repr-digest": digest, "store-media-type": "text/plain" };
    response.writeHead(307, { ...said, "store-executable": "true", location: `${url}/at?sign=ed` });
    response.end();
  };
}

/** What a place says that knows nothing of Store. */
function place(sample: Sample, sent?: (attempt: number) => number): Answer {
  const headers = { etag: '"its own"', "content-type": "binary/octet-stream" };
  return serving({ ...sample, headers }, sent);
}

const credential = { token: "store_secret" };

describe.each(transports)("over %s", (transport) => {
  test("reads bytes where the server says that they are, without the credential", async () => {
    const server = await openDouble(transport);
    const bucket = await openDouble();
    const sample = await sampleBytes(300_000);
    server.answer(leading(bucket, sample));
    bucket.answer(place(sample));
    const client = server.client({ credential });
    const { file, verified, body } = await client.getFile(packageId, "bin/app");
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
    const { address, sha256 } = sample;
    expect(verified).toBe("whole");
    expect(file).toEqual({
      path: "bin/app",
      sizeBytes: 300_000,
      executable: true,
      mediaType: "text/plain",
      address,
      sha256,
    });
    expect(bucket.seen).toMatchObject([{ method: "GET", url: "/at?sign=ed" }]);
    expect(bucket.seen[0]?.headers).not.toHaveProperty("authorization");
    expect(server.seen[0]?.headers).toHaveProperty("authorization");
  });

  test("asks the place for the range that is wanted", async () => {
    const server = await openDouble(transport);
    const bucket = await openDouble();
    const sample = await sampleBytes(1_000);
    server.answer(leading(bucket, sample));
    bucket.answer(place(sample));
    const range = { start: 10, end: 20 };
    const { object, body } = await server.client().openObject(sample.address, { range });
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes.subarray(10, 20)));
    expect(object.sizeBytes).toBe(1_000);
    expect(bucket.seen[0]?.headers.range).toBe("bytes=10-19");
  });

  test("goes on at the place where it broke off, by another URL", async () => {
    const server = await openDouble(transport);
    const bucket = await openDouble();
    const sample = await sampleBytes(300_000);
    server.answer(leading(bucket, sample));
    bucket.answer(place(sample, (attempt) => (attempt < 2 ? 100_000 : Infinity)));
    const { body } = await server.client().openObject(sample.address);
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
    expect(bucket.seen.map(({ headers }) => headers.range)).toEqual([
      undefined,
      "bytes=100000-299999",
      "bytes=200000-299999",
    ]);
    expect(server.seen).toHaveLength(3);
  });

  test("does not take other bytes for the object's", async () => {
    const server = await openDouble(transport);
    const bucket = await openDouble();
    const sample = await sampleBytes(1_000);
    server.answer(leading(bucket, sample));
    bucket.answer(place(await sampleBytes(1_000, 2)));
    const { body } = await server.client().openObject(sample.address);
    await expect(gathered(body)).rejects.toMatchObject({ code: "object_corrupt" });
  });

  test("asks the server itself once another place has given wrong bytes", async () => {
    const server = await openDouble(transport);
    const bucket = await openDouble();
    const sample = await sampleBytes(1_000);
    server.answer(leading(bucket, sample));
    bucket.answer(place(await sampleBytes(1_000, 2)));
    const client = server.client();
    const wrong = await client.openObject(sample.address);
    await expect(gathered(wrong.body)).rejects.toMatchObject({ code: "object_corrupt" });
    const { body } = await client.openObject(sample.address);
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
    expect(bucket.seen).toHaveLength(1);
  });

  test("reads from the server where the place refuses, or is not there", async () => {
    const server = await openDouble(transport);
    const bucket = await openDouble();
    const sample = await sampleBytes(1_000);
    server.answer(leading(bucket, sample));
    bucket.answer((_, response) => void response.writeHead(403).end("<Error/>"));
    const refused = await server.client().openObject(sample.address);
    expect(await gathered(refused.body)).toEqual(Buffer.from(sample.bytes));
    await bucket.close();
    const gone = await server.client().openObject(sample.address);
    expect(await gathered(gone.body)).toEqual(Buffer.from(sample.bytes));
  });

  test("does not follow a place that leads on", async () => {
    const server = await openDouble(transport);
    const bucket = await openDouble();
    const sample = await sampleBytes(10);
    server.answer(leading(bucket, sample));
    bucket.answer((_, response) => void response.writeHead(307, { location: "/other" }).end());
    const { body } = await server.client().openObject(sample.address);
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
    expect(bucket.seen).toHaveLength(1);
  });
});

test("a browser, which is not told where it is led, asks no more to be", async () => {
  const server = await openDouble("fetch");
  const sample = await sampleBytes(10);
  server.answer(leading({ url: "http://127.0.0.1:9" }, sample));
  // What `fetch` gives in a browser for a redirect that it does not follow.
  const opaque = async (url: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    if (response.status !== 307) return response;
    const hidden = new Response(null);
    Object.defineProperties(hidden, { type: { value: "opaqueredirect" }, status: { value: 0 } });
    return hidden;
  };
  const client = createClient({ url: server.url, transport: fetchTransport(opaque), retry: quick });
  for (let time = 0; time < 2; time += 1) {
    const { body } = await client.openObject(sample.address);
    expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
  }
  const asked = server.seen.map(({ headers }) => headers["store-redirect"]);
  expect(asked).toEqual([undefined, "never", "never"]);
});

test("what came encrypted is not read in the clear", async () => {
  const sample = await sampleBytes(10);
  const asked: string[] = [];
  const { etag = "", "repr-digest": digest = "" } = sample.headers;
  const fetched = async (url: string, init: RequestInit): Promise<Response> => {
    asked.push(url);
    const headers = { etag, "repr-digest": digest, "content-length": "10" };
    const isDirect = new Headers(init.headers).get("store-redirect") === "never";
    if (isDirect) return new Response(Buffer.from(sample.bytes), { headers });
    const location = "http://bucket.example.org/at?sign=ed";
    return new Response(null, { status: 307, headers: { ...headers, location } });
  };
  const client = createClient({ url: "https://store.example.org", fetch: fetched, retry: false });
  const { body } = await client.openObject(sample.address);
  expect(await gathered(body)).toEqual(Buffer.from(sample.bytes));
  expect(asked.every((url) => url.startsWith("https://store.example.org/"))).toBe(true);
});
