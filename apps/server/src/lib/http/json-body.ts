import type { IncomingMessage, ServerResponse } from "node:http";

import type { JsonContent } from "@store/api";
import { StoreError } from "@store/identity";
import { parseJson } from "@store/manifest";

import type { HttpLimits } from "./limits.ts";
import { parseWith } from "./parse.ts";
import { hasBody, readBody } from "./request-body.ts";

export interface JsonBodyOptions {
  readonly limits: HttpLimits;
  /** Told of each chunk. */
  readonly onChunk: (sizeBytes: number) => void;
}

/**
 * Reads a JSON body whole, within the limits, and parses it. No body is `{}` where the route says
 * that it may be left out.
 *
 * @throws {StoreError} `unsupported_media_type`, `invalid_json`, `limit_exceeded`, or
 *   `request_timeout`
 */
export async function readJsonBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  content: JsonContent,
  options: JsonBodyOptions,
): Promise<unknown> {
  if (!hasBody(incoming)) {
    if (content.optional === true) return parseBody(content, {});
    throw new StoreError("invalid_json", "The request has no body; send a JSON object.");
  }
  assertJson(incoming.headers["content-type"]);
  const { limits, onChunk } = options;
  const chunks: Uint8Array[] = [];
  const body = readBody(incoming, outgoing, {
    bytes: limits.jsonBytes,
    idleMs: limits.idleTimeoutMs,
    wholeMs: limits.bodyTimeoutMs,
    onChunk,
  });
  for await (const chunk of body) chunks.push(chunk);
  const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  if (bytes.length === 0 && content.optional === true) return parseBody(content, {});
  const { jsonBytes: maxBytes, jsonDepth: maxDepth } = limits;
  return parseBody(content, parseJson(bytes, { maxBytes, maxDepth }));
}

function parseBody(content: JsonContent, value: unknown): unknown {
  return parseWith(content.schema, value, "The body", "invalid_json");
}

function assertJson(contentType: string | undefined): void {
  const [mediaType = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const isUtf8 = parameters.every((one) => /^\s*(charset\s*=\s*"?utf-8"?\s*)?$/.test(one));
  if (mediaType.trim() === "application/json" && isUtf8) return;
  throw new StoreError(
    "unsupported_media_type",
    "The body must be application/json, in UTF-8; say so in Content-Type.",
    { context: { expected: "application/json", actual: contentType?.slice(0, 200) ?? null } },
  );
}
