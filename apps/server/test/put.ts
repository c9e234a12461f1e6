import type { ByteServer } from "./byte-server.ts";

export async function openPackage({ registry }: ByteServer): Promise<string> {
  const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };
  const { id } = await registry.createPackage(coordinates);
  return `/api/v1/packages/${id}/files`;
}

export interface Put {
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

export async function put(
  server: ByteServer,
  path: string,
  { body = "hello", headers = {} }: Put = {},
) {
  const response = await fetch(server.url + path, { method: "PUT", body, headers });
  const json = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, json };
}

export async function nothingIsLeft({ storage }: ByteServer): Promise<boolean> {
  const staged = await Array.fromAsync(storage.listStaged());
  const objects = await Array.fromAsync(storage.enumerate());
  return staged.length === 0 && objects.length === 0;
}
