import type { ByteServer } from "./byte-server.ts";

export const uploadsPath = "/api/v1/uploads";

type TusServer = Pick<ByteServer, "url">;

/** Asks as a tus client does, where nothing else is said. */
export async function tus(
  server: TusServer,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Response> {
  const offsetStream = body === undefined ? {} : { "content-type": offsetStreamType };
  return await fetch(server.url + path, {
    method,
    headers: { "tus-resumable": "1.0.0", ...offsetStream, ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
  });
}

const offsetStreamType = "application/offset+octet-stream";

/** The path of a new upload. */
export async function createUpload(
  server: TusServer,
  headers: Record<string, string> = { "upload-length": "11" },
): Promise<string> {
  const created = await tus(server, "POST", uploadsPath, { headers });
  if (created.status !== 201)
    throw new Error(`The upload was not created: ${await created.text()}`);
  return created.headers.get("location") ?? "";
}

/** Sends bytes at an offset. */
export async function patch(
  server: TusServer,
  path: string,
  offset: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await tus(server, "PATCH", path, {
    headers: { "upload-offset": String(offset), ...headers },
    body,
  });
}

/** What HEAD says of an upload's offset. */
export async function offsetOf(server: TusServer, path: string): Promise<string | null> {
  return (await tus(server, "HEAD", path)).headers.get("upload-offset");
}
