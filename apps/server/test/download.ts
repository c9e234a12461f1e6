import { contentAddress, digestBytes } from "@store/identity";
import type { Registry } from "@store/registry";
import type { StorageBackend } from "@store/storage";

import type { ByteServer } from "./byte-server.ts";

export const megabyte = 1 << 20;
/** Over two chunks, no two bytes near one another alike. */
export const content = Buffer.from(
  Uint8Array.from({ length: 2 * megabyte + 77 }, (_, index) => (index * 7 + (index >> 8)) & 255),
);
const digests = await digestBytes(content);
export const address = contentAddress(digests.primary);
export const sha256 = contentAddress(digests.sha256);
export const digestHeader =
  `sha-256=:${Buffer.from(digests.sha256.bytes).toString("base64")}:, ` +
  `blake3=:${Buffer.from(digests.primary.bytes).toString("base64")}:`;

export async function publish(
  registry: Registry,
  { path = "dist/app é.bin", mediaType = "application/x-thing", finalize = true } = {},
): Promise<string> {
  const { id } = await registry.createPackage({ namespace: "acme", name: "app", version: "1.0.0" });
  const source = (async function* () {
    yield content;
  })();
  await registry.ingestFile(id, path, source, { mediaType, executable: true });
  if (finalize) await registry.finalizePackage(id);
  return `/api/v1/packages/${id}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** A backend whose reads are another's. */
export function reading(backend: StorageBackend, open: StorageBackend["open"]): StorageBackend {
  return new Proxy(backend, {
    get(target, name: keyof StorageBackend) {
      if (name === "open") return open;
      const member = target[name];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

export async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

/** Header fields that may differ between two answers. */
const ofTheConnection = ["date", "connection", "keep-alive", "x-request-id"];

export function fieldsOf(response: Response): Record<string, string> {
  const fields = [...response.headers].filter(([name]) => !ofTheConnection.includes(name));
  return Object.fromEntries(fields);
}

export async function get(
  server: ByteServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(server.url + path, { headers });
}
