import { createHash, hash } from "node:crypto";
import type { S3Request } from "./request.ts";
import { uriEncode, uriEncodePath } from "./uri.ts";

/** What SigV4 signs of a request, besides its path and query. */
export interface SignedParts {
  /** Lower-case names in the order in which the client gave them. */
  readonly signedHeaders: readonly string[];
  /** The value of `x-amz-content-sha256`, or what stands for it. */
  readonly payloadHash: string;
}

/** The canonical request of SigV4; a presigned one leaves its own signature out of the query. */
export function canonicalRequest(request: S3Request, parts: SignedParts): string {
  const headers = headerLines(request);
  const lines = parts.signedHeaders.map((name) => `${name}:${headers.get(name) ?? ""}`);
  return [
    request.method,
    uriEncodePath(request.path),
    canonicalQuery(request),
    ...lines,
    "",
    parts.signedHeaders.join(";"),
    parts.payloadHash,
  ].join("\n");
}

/** The string that is signed: algorithm, time, scope and the hash of the canonical request. */
export function stringToSign(time: string, scope: string, canonical: string): string {
  // HTTP heads are bytes; Node reads them as Latin-1.
  const digest = createHash("sha256").update(canonical, "latin1").digest("hex");
  return `AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`;
}

/** SHA-256 as lower-case hex. */
export function sha256Hex(text: string): string {
  return hash("sha256", text, "hex");
}

function canonicalQuery(request: S3Request): string {
  const pairs: (readonly [name: string, value: string])[] = [];
  for (const [name, value] of request.query) {
    if (name !== "X-Amz-Signature") pairs.push([uriEncode(name), uriEncode(value)]);
  }
  // By the encoded name, which is unique here.
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function headerLines(request: S3Request): Map<string, string> {
  const lines = new Map<string, string>();
  const raw = request.http.rawHeaders;
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = (raw[index + 1] ?? "").trim().replaceAll(/ +/gu, " ");
    const before = lines.get(name);
    lines.set(name, before === undefined ? value : `${before},${value}`);
  }
  return lines;
}
