import { createHash } from "node:crypto";

import { parseContentAddress, type ContentAddress } from "@store/identity";

import { contentOf } from "../load/contents.ts";

const blockBytes = 1024 * 1024;
const block = Buffer.from(contentOf("large", blockBytes).bytes);

/** Bytes that are made as they are read, from anywhere; no two blocks of them are the same. */
export async function* largeSource(sizeBytes: number, offset = 0): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < sizeBytes;) {
    const index = Math.floor(at / blockBytes);
    const bytes = Buffer.from(block);
    bytes.writeUInt32LE(index);
    const begin = at - index * blockBytes;
    const chunk = bytes.subarray(begin, Math.min(blockBytes, sizeBytes - index * blockBytes));
    yield chunk;
    at += chunk.length;
  }
}

/** The SHA-256 of such bytes: `sha256:<64 hex>`. */
export async function digestOf(bytes: AsyncIterable<Uint8Array>): Promise<ContentAddress> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) hash.update(chunk);
  return parseContentAddress(`sha256:${hash.digest("hex")}`);
}
