/** What browsers may do with answers, and who may read them. */
export interface HeaderOptions {
  /** Origins whose pages may call the API; `*` lets all. None unless given. */
  readonly corsOrigins?: readonly string[];
  /** Where callers reach the server; its browsers stay with https once it is https. */
  readonly publicUrl?: string;
}

/** Header fields of answers that a page of another origin may read. */
const exposedHeaders = [
  "Accept-Ranges",
  "Content-Digest",
  "Content-Disposition",
  "Content-Range",
  "ETag",
  "Location",
  "Repr-Digest",
  "Retry-After",
  "Store-Executable",
  "Store-Log-Head",
  "Store-Media-Type",
  "Store-Object",
  "Store-Scanned-To",
  "Store-Verified",
  "Tus-Checksum-Algorithm",
  "Tus-Extension",
  "Tus-Max-Size",
  "Tus-Resumable",
  "Tus-Version",
  "Upload-Expires",
  "Upload-Length",
  "Upload-Metadata",
  "Upload-Offset",
  "WWW-Authenticate",
  "X-Request-Id",
].join(", ");

const preflightSeconds = 600;

/** Makes the header fields that every answer carries. */
export function createResponseHeaders(options: HeaderOptions) {
  const { corsOrigins = [], publicUrl } = options;
  const origins = new Set(corsOrigins);
  const always: Readonly<Record<string, string>> = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    ...(publicUrl?.startsWith("https:") === true
      ? { "strict-transport-security": "max-age=31536000" }
      : {}),
    ...(origins.size > 0 ? { vary: "Origin" } : {}),
  };
  const allows = (origin: string | undefined): origin is string =>
    origin !== undefined && (origins.has(origin) || origins.has("*"));
  return {
    /** The fields of an answer to a request of `origin`. */
    of(origin: string | undefined): Record<string, string> {
      if (!allows(origin)) return { ...always };
      return {
        ...always,
        "access-control-allow-origin": origin,
        "access-control-expose-headers": exposedHeaders,
        // The origin is let in, so it may have the bytes too.
        "cross-origin-resource-policy": "cross-origin",
      };
    },
    /** What an answer varies with, where it varies with something of its own. */
    vary(own: string | undefined): string | undefined {
      if (own === undefined || origins.size === 0) return undefined;
      return `${own}, Origin`;
    },
    /** The fields of an answer to a browser that asks whether it may; undefined if it may not. */
    preflight(
      origin: string | undefined,
      asked: { readonly method: string | undefined; readonly headers: string | undefined },
      methods: readonly string[],
    ): Record<string, string> | undefined {
      if (!allows(origin) || asked.method === undefined) return undefined;
      const headers = asked.headers ?? "";
      return {
        "access-control-allow-methods": methods.join(", "),
        // No cookie is looked at, so a page can send nothing that it does not have itself.
        ...(/^[\w, -]{1,2000}$/.test(headers) ? { "access-control-allow-headers": headers } : {}),
        "access-control-max-age": String(preflightSeconds),
      };
    },
  };
}
export type ResponseHeaders = ReturnType<typeof createResponseHeaders>;
