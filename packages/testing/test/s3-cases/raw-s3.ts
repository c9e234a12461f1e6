/** Requests made by hand, with a signature of their own: right, or wrong in one way. */
import { createHmac, hash } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import type { S3Credential, S3Place } from "../../src/s3-double.ts";

export interface RawRequest {
  readonly method: string;
  /** As it is sent, with the bucket. */
  readonly path: string;
  /** As it is sent. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** `x-amz-content-sha256`; the body's hash by default. */
  readonly payloadHash?: string;
  readonly credentials?: S3Credential;
  readonly region?: string;
  readonly time?: Date;
  /** Headers that are not signed. */
  readonly unsigned?: Readonly<Record<string, string>>;
  /** What is done to the signed headers before they are sent. */
  readonly change?: (headers: Record<string, string>) => void;
  /** Whether the length is left out, and the body sent in HTTP's own chunks. */
  readonly withoutLength?: boolean;
  /** Makes the body once the signature is known that its chunks follow from. */
  readonly chunks?: (signing: Signing) => Buffer;
}

export interface Signing {
  readonly key: Buffer;
  readonly signature: string;
  readonly time: string;
  readonly scope: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The code of the error document. */
  readonly code: string | undefined;
}

export const sha256 = (bytes: Buffer | string): string => hash("sha256", bytes, "hex");

const hmac = (key: Buffer | string, message: string): Buffer => {
  return createHmac("sha256", key).update(message).digest();
};

/** The key of a day (SigV4). */
function dayKey(secret: string, date: string, region: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), "s3"), "aws4_request");
}

/** `20130524T000000Z`. */
function amzTime(time: Date): string {
  return time.toISOString().replaceAll(/[-:]|\.\d+/gu, "");
}

/** The headers of a signed request. */
function sign(
  place: S3Place,
  request: RawRequest,
): { readonly headers: Record<string, string>; readonly signing: Signing } {
  const credentials = request.credentials ?? place.credentials;
  const region = request.region ?? place.region;
  const time = amzTime(request.time ?? new Date());
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const payloadHash = request.payloadHash ?? sha256(request.body ?? "");
  const headers: Record<string, string> = {
    host: new URL(place.endpoint).host,
    "x-amz-content-sha256": payloadHash,
    "x-amz-date": time,
    ...request.headers,
  };
  if (credentials.sessionToken !== undefined) {
    headers["x-amz-security-token"] = credentials.sessionToken;
  }
  const names = Object.keys(headers).sort();
  const query = (request.query ?? "").split("&").filter((pair) => pair !== "");
  const canonical = [
    request.method,
    request.path,
    query
      .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
      .sort()
      .join("&"),
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  const key = dayKey(credentials.secretAccessKey, time.slice(0, 8), region);
  const signature = hmac(key, toSign).toString("hex");
  headers["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { headers, signing: { key, signature, time, scope } };
}

/** Signs, spoils as it is told, and sends. */
export function sendRaw(place: S3Place, request: RawRequest): Promise<RawAnswer> {
  const { headers, signing } = sign(place, request);
  const body = request.chunks === undefined ? (request.body ?? "") : request.chunks(signing);
  Object.assign(headers, request.unsigned);
  request.change?.(headers);
  if (request.withoutLength === true) headers["transfer-encoding"] = "chunked";
  const wantsLength = request.withoutLength !== true && headers["content-length"] === undefined;
  if (wantsLength && (body !== "" || request.method !== "GET")) {
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  return send(place, request, headers, body);
}

/** Sends headers as they are. */
export async function send(
  place: S3Place,
  request: Pick<RawRequest, "method" | "path" | "query">,
  headers: Readonly<Record<string, string>>,
  body: Buffer | string = "",
): Promise<RawAnswer> {
  const { hostname, port } = new URL(place.endpoint);
  const path = request.query === undefined ? request.path : `${request.path}?${request.query}`;
  const { method } = request;
  const outgoing = httpRequest({ hostname, port, method, path, headers, agent: false });
  const answered = new Promise<RawAnswer>((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      text(incoming).then((document) => {
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: document,
          code: /<Error>.*?<Code>(\w+)<\/Code>/su.exec(document)?.[1],
        });
      }, reject);
    });
  });
  outgoing.end(body);
  return answered;
}

/** How a body in `aws-chunked` is framed. */
export interface Chunked {
  readonly signed: boolean;
  /** The headers after the last chunk. */
  readonly trailer?: Readonly<Record<string, string>>;
  /** Spoils the signature of the chunk with this number; that of the trailer is -1. */
  readonly spoil?: number;
}

/** Frames chunks as `aws-chunked`, each with its signature where they are signed. */
export function frame(chunks: readonly Buffer[], form: Chunked): (signing: Signing) => Buffer {
  return ({ key, signature, time, scope }) => {
    let previous = signature;
    const pieces: Buffer[] = [];
    const next = (kind: string, hashes: readonly string[], number: number): string => {
      const lines = [`AWS4-HMAC-SHA256-${kind}`, time, scope, previous, ...hashes];
      previous = hmac(key, lines.join("\n")).toString("hex");
      return form.spoil === number
        ? previous.replace(/^./u, (c) => (c === "0" ? "1" : "0"))
        : previous;
    };
    for (const [number, chunk] of [...chunks, Buffer.alloc(0)].entries()) {
      const extension = form.signed
        ? `;chunk-signature=${next("PAYLOAD", [sha256(""), sha256(chunk)], number)}`
        : "";
      pieces.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk);
      if (chunk.length > 0) pieces.push(Buffer.from("\r\n"));
    }
    const trailer = Object.entries(form.trailer ?? {});
    for (const [name, value] of trailer) pieces.push(Buffer.from(`${name}:${value}\r\n`));
    if (form.signed && form.trailer !== undefined) {
      const lines = trailer.map(([name, value]) => `${name}:${value}\n`).join("");
      const last = next("TRAILER", [sha256(lines)], -1);
      pieces.push(Buffer.from(`x-amz-trailer-signature:${last}\r\n`));
    }
    pieces.push(Buffer.from("\r\n"));
    return Buffer.concat(pieces);
  };
}
