import { createClient, uploadFiles, type UploadSource } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { createHasher } from "@store/identity";
import { account, proving } from "@store/testing/prove";
import { describe, expect, onTestFinished, test } from "vitest";

import { startCuttingProxy } from "./cutting-proxy.ts";
import { startTestServer } from "./service.ts";

const sizeBytes = (proving ? 1024 : 64) * 1024 * 1024;
const cuts = 20;
const block = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, index) => (index * 31) & 0xff));

/** Bytes that differ from block to block, made as they are asked for. */
function source(path: string): UploadSource {
  return {
    path,
    open: async function* ({ start, end = sizeBytes } = { start: 0 }) {
      for (let at = start; at < end;) {
        const index = Math.floor(at / block.byteLength);
        const made = Buffer.from(block);
        made.writeUInt32LE(index);
        const from = at - index * block.byteLength;
        const part = made.subarray(from, Math.min(made.byteLength, from + end - at));
        at += part.byteLength;
        yield part;
      }
    },
  };
}

describe.each(["fetch", "node:http"] as const)("over %s", (transport) => {
  test("a large file goes up and comes down whole over a wire that is cut again and again", async () => {
    const server = await startTestServer();
    const proxy = await startCuttingProxy(server.url);
    const sender = transport === "fetch" ? undefined : nodeTransport();
    onTestFinished(async () => {
      sender?.close();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });
    const retry = { firstDelayMs: 1, longestDelayMs: 20 };
    const client = createClient({
      url: proxy.url,
      credential: { token: "owner" },
      retry,
      ...(sender === undefined ? {} : { transport: sender }),
    });
    const made = await client.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });

    const apart = Array.from({ length: cuts }, (_, index) =>
      Math.floor(((0.5 + ((index * 7) % cuts) / cuts) * sizeBytes) / (cuts * 1.5)),
    );
    proxy.cutAfter(...apart);
    const uploaded = await uploadFiles(client, made.id, [source("large")], {
      resumableFromBytes: 1024 * 1024,
      retry,
    });
    const cutGoingUp = proxy.cuts;
    expect(cutGoingUp).toBeGreaterThan(5);
    expect((await client.listUploads()).items).toHaveLength(1);

    proxy.cutAfter(...apart);
    const hasher = await createHasher("blake3");
    const { file, body } = await client.getFile(made.id, "large");
    for await (const chunk of body) hasher.update(chunk);
    expect(String(hasher.digest())).toBe(file.address);
    expect(proxy.cuts - cutGoingUp).toBeGreaterThan(5);

    proxy.cutAfter();
    await client.finalizePackage(made.id);
    expect(await client.verifyPackage(made.id)).toMatchObject({ sizeBytes, problems: [] });
    account(`client over ${transport}, cut wire`, {
      sizeBytes,
      sentBytes: uploaded.sentBytes,
      cutsUp: cutGoingUp,
      cutsDown: proxy.cuts - cutGoingUp,
    });
  });
});
