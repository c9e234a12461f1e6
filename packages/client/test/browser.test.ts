import { createContext, runInContext } from "node:vm";

import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";

import { packageId, packageInfo, packageJson } from "./samples.ts";

/** What a page would do with the package; it has what a browser has, and nothing of Node. */
const page = `
  import * as client from "@store/client";
  globalThis.client = client;
`;

let bundle = "";

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    target: "es2024",
  });
  bundle = outputFiles[0]?.text ?? "";
});

test("a browser's bundle holds no import of Node and no addon", () => {
  expect(bundle).not.toMatch(/["'`]node:/);
  expect(bundle).not.toMatch(/\b(?:require|import)\(/);
  expect(bundle).not.toContain("blake-hash");
});

test("a page calls the server, sends a file as it is, and verifies what it reads", async () => {
  const calls: { url: string; init: RequestInit }[] = [];
  const file = new Blob(["hello world"], { type: "text/plain" });
  const address = "blake3:d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24";
  const sha256 = "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    calls.push({ url, init });
    if (url.endsWith("/objects/missing")) return Response.json({ missing: [address] });
    if (init.method === "PUT") {
      const added = { path: "a", size: 11, executable: false, content_address: address, sha256 };
      return Response.json({ ...added, deduplicated: false }, { status: 201 });
    }
    if (url.endsWith("/files/a")) {
      const digest = Buffer.from(sha256.slice(7), "hex").toString("base64");
      const headers = {
        etag: `"${address}"`,
        "content-length": "11",
        "repr-digest": `sha-256=:${digest}:`,
      };
      return new Response(file, { headers });
    }
    return Response.json(packageJson);
  };
  const context = createContext({
    fetch,
    Blob,
    Response,
    ReadableStream,
    URL,
    TextEncoder,
    TextDecoder,
    AbortController,
    AbortSignal,
    MessageChannel,
    crypto,
    performance,
    setTimeout,
    clearTimeout,
    atob,
    btoa,
    Uint8Array,
    ArrayBuffer,
  });
  runInContext(bundle, context);
  // A context lists only what was put into it, not the globals of its language.
  const { client } = runInContext("globalThis", context) as {
    client: typeof import("../src/index.ts");
  };

  const store = client.createClient({ url: "https://store.example.org/base/" });
  expect(await store.getPackage(packageId)).toEqual(packageInfo);
  expect(calls[0]?.url).toBe(`https://store.example.org/base/api/v1/packages/${packageId}`);
  expect(calls[0]?.init).toMatchObject({ credentials: "omit", redirect: "manual" });

  const source = client.blobSource(file, { path: "a" });
  const outcome = await client.uploadFiles(store, packageId, [source]);
  expect(outcome).toMatchObject({ files: 1, bytes: 11 });
  const put = calls.find(({ init }) => init.method === "PUT");
  expect(put?.init).toMatchObject({ headers: { "content-type": "text/plain" } });

  const { body } = await store.getFile(packageId, "a");
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe("hello world");
});
