import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";

import { openLocalStorage } from "@store/storage-local";
import { expect, it } from "vitest";

import { openByteServer } from "./byte-server.ts";

const content = Buffer.alloc(24 << 20);
for (let at = 0; at < content.length; at += 4)
  content.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);

/** What a client gets that takes a little, waits, and takes a little more. */
async function readSlowly(url: string, range: string): Promise<string> {
  const [answer] = (await once(get(url, { headers: { range } }), "response")) as [IncomingMessage];
  const hash = createHash("sha256");
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    hash.update(chunk);
    await turn();
  }
  return hash.digest("hex");
}

it("gives a slow reader the right bytes, though what was read is read over again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-slow-"));
  const storage = await openLocalStorage({ root: folder });
  try {
    await using server = await openByteServer(storage);
    const { id } = await server.registry.createPackage({
      namespace: "acme",
      name: "app",
      version: "1.0.0",
    });
    const source = (async function* () {
      yield content;
    })();
    await server.registry.ingestFile(id, "a", source);
    const url = `${server.url}/api/v1/packages/${id}/files/a`;
    const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    const all = await Promise.all([
      readSlowly(url, "bytes=0-"),
      readSlowly(url, "bytes=0-"),
      readSlowly(url, "bytes=1-"),
      readSlowly(url, "bytes=5000000-20000000"),
    ]);
    expect(all).toEqual([
      hashOf(content),
      hashOf(content),
      hashOf(content.subarray(1)),
      hashOf(content.subarray(5000000, 20000001)),
    ]);
  } finally {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  }
});
