import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { parseContentAddress } from "@store/identity";
import { openS3Storage } from "@store/storage-s3";
import { expect, test } from "vitest";

const address = parseContentAddress(`blake3:${"ab".repeat(32)}`);
const secret = "not-to-be-told";

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean;

interface HostileStore extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: readonly string[];
  open(): ReturnType<typeof openS3Storage>;
}

/** A store that answers as it likes, where `answer` says that it did, and else knows no object. */
async function hostileStore(answer: Answer): Promise<HostileStore> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://store.test");
    requests.push(`${request.method} ${url.pathname}`);
    request.resume();
    if (answer(request, response, url)) return;
    if (url.pathname.endsWith("/format.json")) {
      response.end('{"format":"store-objects-s3","version":1}');
      return;
    }
    response.writeHead(404, { "content-type": "application/xml" });
    response.end("<Error><Code>NoSuchKey</Code></Error>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    requests,
    open: () =>
      openS3Storage({
        bucket: "bucket",
        endpoint,
        pathStyle: true,
        credentials: { accessKeyId: "known", secretAccessKey: secret },
        attempts: 2,
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends the same for as long as somebody listens. */
function sendForEver(response: ServerResponse, text: string): void {
  const send = (): void => {
    while (!response.destroyed && response.write(text));
    if (!response.destroyed) response.once("drain", send);
  };
  send();
}

const isList = (url: URL): boolean => url.searchParams.has("list-type");
const isObject = (url: URL): boolean => url.pathname.includes("/blake3/");
const unavailable = { code: "storage_unavailable" };

test("a format file without an end is not gathered in memory", async () => {
  await using store = await hostileStore((_request, response, url) => {
    if (!url.pathname.endsWith("/format.json")) return false;
    sendForEver(response, "x".repeat(65_536));
    return true;
  });
  await expect(store.open()).rejects.toMatchObject(unavailable);
});

test("a listing without an end is not gathered in memory", async () => {
  await using store = await hostileStore((_request, response, url) => {
    if (!isList(url)) return false;
    response.writeHead(200, { "content-type": "application/xml" });
    response.write("<ListBucketResult>");
    sendForEver(response, `<Name>${"x".repeat(65_536)}</Name>`);
    return true;
  });
  const backend = await store.open();
  await expect(Array.fromAsync(backend.enumerate())).rejects.toMatchObject(unavailable);
  await backend.close();
});

test.each([
  ["the same page", "<Contents><Key>blake3/ab/ab/x</Key></Contents>"],
  ["nothing", ""],
])("a listing that goes on with %s for ever comes to an end", async (_, contents) => {
  await using store = await hostileStore((_request, response, url) => {
    if (!isList(url)) return false;
    response.writeHead(200, { "content-type": "application/xml" });
    const token = "<NextContinuationToken>next</NextContinuationToken>";
    const more = `<IsTruncated>true</IsTruncated>${token}`;
    response.end(`<ListBucketResult>${more}${contents}</ListBucketResult>`);
    return true;
  });
  const backend = await store.open();
  await expect(Array.fromAsync(backend.enumerate())).rejects.toMatchObject(unavailable);
  await backend.close();
});

test("what a store says of an error is repeated only where it is a name", async () => {
  await using store = await hostileStore((request, response, url) => {
    if (!isObject(url)) return false;
    const code = `${request.headers.authorization}\u0085[31m${"E".repeat(100_000)}`;
    response.writeHead(400, {
      "content-type": "application/xml",
      "x-amz-request-id": `${"r".repeat(1_000)} ${request.headers.authorization}`,
    });
    response.end(`<Error><Code>${code}</Code></Error>`);
    return true;
  });
  const backend = await store.open();
  const error: unknown = await Array.fromAsync(backend.open(address)).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error("A read that fails throws an error.");
  expect(error.message).toContain("(unknown, status 400)");
  const told = `${error.stack} ${String(error.cause)} ${JSON.stringify(error)}`;
  expect(told).not.toMatch(/Signature|EEEE|rrrr/);
  await backend.close();
});

test("a redirect is not followed, so that no signature goes to another host", async () => {
  await using other = await hostileStore(() => false);
  await using store = await hostileStore((_request, response, url) => {
    if (!isObject(url) && !isList(url)) return false;
    response.writeHead(307, { location: other.endpoint + url.pathname });
    response.end("<Error><Code>TemporaryRedirect</Code></Error>");
    return true;
  });
  const backend = await store.open();
  await expect(Array.fromAsync(backend.open(address))).rejects.toMatchObject(unavailable);
  await expect(backend.stat(address)).rejects.toMatchObject(unavailable);
  await expect(Array.fromAsync(backend.enumerate())).rejects.toMatchObject(unavailable);
  expect(other.requests).toEqual([]);
  await backend.close();
});

test("an object whose length is not told is not taken for an empty one", async () => {
  await using store = await hostileStore((_request, response, url) => {
    if (!isObject(url)) return false;
    response.flushHeaders();
    response.end();
    return true;
  });
  const backend = await store.open();
  await expect(Array.fromAsync(backend.open(address))).rejects.toMatchObject(unavailable);
  await expect(backend.stat(address)).rejects.toMatchObject(unavailable);
  await backend.close();
});
