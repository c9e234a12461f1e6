import { createHash } from "node:crypto";

import { contentAddress, digestBytes, type ContentAddress } from "@store/identity";
import type { Registry, UploadInfo } from "@store/registry";

/** What tests of uploads send, and how. */

/** Bytes that differ from place to place. */
export function patterned(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let index = 0; index < sizeBytes; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export async function addressOf(bytes: Uint8Array): Promise<ContentAddress> {
  return contentAddress((await digestBytes(bytes)).primary);
}

export function sha256Of(bytes: Uint8Array): ContentAddress {
  const hex = createHash("sha256").update(bytes).digest("hex");
  return `sha256:${hex}` as ContentAddress;
}

/** A source of small chunks, which then fails or waits as it is told. */
export async function* chunked(
  bytes: Uint8Array,
  end?: Error | Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 65_536) {
    yield bytes.subarray(offset, offset + 65_536);
  }
  if (end instanceof Error) throw end;
  await end;
}

/** A source that gives some bytes and then hangs, with a promise of that moment. */
export function hanging(bytes: Uint8Array): {
  readonly source: AsyncGenerator<Uint8Array>;
  readonly given: Promise<void>;
} {
  const { promise: given, resolve } = Promise.withResolvers<void>();
  async function* generate(): AsyncGenerator<Uint8Array> {
    yield* chunked(bytes);
    resolve();
    await new Promise(() => {});
  }
  return { source: generate(), given };
}

/** Sends what is missing of `bytes`, in one append. */
export function sendRest(
  registry: Registry,
  upload: UploadInfo,
  bytes: Uint8Array,
): Promise<UploadInfo> {
  const { id, offsetBytes } = upload;
  return registry.appendUpload(id, offsetBytes, chunked(bytes.subarray(offsetBytes)));
}

export async function newPackage(registry: Registry, version = "1.0.0"): Promise<string> {
  return (await registry.createPackage({ namespace: "acme", name: "app", version })).id;
}
