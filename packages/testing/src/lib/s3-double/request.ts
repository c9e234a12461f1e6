import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { S3Error } from "./errors.ts";
import { uriDecode } from "./uri.ts";

/** A request as far as its head says. */
export interface S3Request {
  readonly http: IncomingMessage;
  readonly method: string;
  /** The path, decoded: with the bucket in path style, without it in virtual-host style. */
  readonly path: string;
  /** Empty where the request is about no bucket. */
  readonly bucket: string;
  /** Empty where the request is about the bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** The request's id, as AWS writes them. */
  readonly id: string;
}

const keyLimitBytes = 1024;

/** Parses the request line and the `Host` header. Throws `S3Error` `InvalidURI`. */
export function parseRequest(http: IncomingMessage, id: string): S3Request {
  const url = http.url ?? "/";
  const mark = url.indexOf("?");
  const path = uriDecode(mark === -1 ? url : url.slice(0, mark));
  if (path === undefined || !path.startsWith("/")) throw new S3Error("InvalidURI", { URI: url });
  const { bucket, key } = resourceOf(path, bucketOfHost(http.headers.host));
  if (Buffer.byteLength(key) > keyLimitBytes) {
    throw new S3Error("KeyTooLongError", {
      Size: String(Buffer.byteLength(key)),
      MaxSizeAllowed: String(keyLimitBytes),
    });
  }
  const query = parseQuery(mark === -1 ? "" : url.slice(mark + 1));
  return {
    http,
    method: http.method ?? "GET",
    path,
    bucket,
    key,
    query,
    headers: http.headers,
    id,
  };
}

function resourceOf(path: string, hostBucket: string | undefined): { bucket: string; key: string } {
  if (hostBucket !== undefined) return { bucket: hostBucket, key: path.slice(1) };
  const slash = path.indexOf("/", 1);
  if (slash === -1) return { bucket: path.slice(1), key: "" };
  return { bucket: path.slice(1, slash), key: path.slice(slash + 1) };
}

/** The names that stand for S3 itself; `<bucket>.<name>` is the virtual-host style. */
const serviceHost = /^(?:(?<bucket>.+)\.)?(?:localhost|s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com)$/u;

function bucketOfHost(host: string | undefined): string | undefined {
  const name = (host ?? "").replace(/:\d+$/u, "");
  if (isIP(name) !== 0) return undefined;
  return serviceHost.exec(name)?.groups?.["bucket"];
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of text === "" ? [] : text.split("&")) {
    const equals = pair.indexOf("=");
    const name = uriDecode(equals === -1 ? pair : pair.slice(0, equals));
    const value = uriDecode((equals === -1 ? "" : pair.slice(equals + 1)).replaceAll("+", "%20"));
    if (name === undefined || value === undefined) throw new S3Error("InvalidURI");
    query.set(name, value);
  }
  return query;
}

/**
 * A header with one value; several lines of it are joined as HTTP allows. A presigned URL carries
 * `x-amz-` headers in its query.
 */
export function header(request: S3Request, name: string): string | undefined {
  const value = request.headers[name];
  if (value !== undefined) return Array.isArray(value) ? value.join(",") : value;
  const hoisted = name.startsWith("x-amz-") && request.query.has("X-Amz-Signature");
  return hoisted ? request.query.get(name) : undefined;
}
