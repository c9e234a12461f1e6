import { create } from "content-disposition";

/**
 * What a browser would run, or read as part of a page. The real type stands in the file's
 * metadata, where nothing acts on it.
 */
const active =
  /html|xml|xsl|svg|script|css|wasm|flash|hta|mathml|cache-manifest|^multipart\/|^message\//;

/** The `Content-Type` under which somebody's bytes are sent: never one that a browser runs. */
export function safeMediaType(mediaType: string | undefined): string {
  const essence = mediaType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return mediaType === undefined || active.test(essence) ? "application/octet-stream" : mediaType;
}

/**
 * The headers of bytes that a user gave: to be saved, never shown, under the path's last segment
 * (RFC 6266); and without any right if a browser shows them after all.
 */
export function attachmentHeaders(fileName: string): Record<string, string> {
  return {
    "content-disposition": create(fileName),
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
  };
}
