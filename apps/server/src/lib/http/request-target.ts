import type { IncomingMessage } from "node:http";

import { StoreError } from "@store/identity";

import type { HttpLimits } from "./limits.ts";
import { decodePart } from "./parse.ts";

/** Why a request is refused before anything else, with HTTP's own status for that. */
export interface Malformed {
  readonly error: StoreError;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What follows a request that was not understood may not be what it seems to be. */
const headers = { connection: "close" };

/** Fields that may stand once: where two differ, two readers would see two requests. */
const singleFields = new Set([
  "authorization",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "idempotency-key",
  "range",
  "transfer-encoding",
]);

/** What is wrong with a request's target and header fields, if anything. */
export function malformationOf(
  incoming: IncomingMessage,
  limits: HttpLimits,
): Malformed | undefined {
  const { url = "", rawHeaders } = incoming;
  if (url.length > limits.urlBytes) {
    return tooMuch(414, `The request's target has more than ${limits.urlBytes} bytes`, {
      limit: limits.urlBytes,
    });
  }
  if (rawHeaders.length / 2 > limits.headerCount) {
    return tooMuch(431, `The request has more than ${limits.headerCount} header fields`, {
      limit: limits.headerCount,
    });
  }
  const twice = repeatedField(rawHeaders);
  if (twice !== undefined) return malformed(`The request has ${twice} twice; send it once.`);
  return protocolProblem(incoming) ?? targetProblem(url);
}

/** RFC 9112 §3.2 and §6.1, RFC 9110 §10.1.1. */
function protocolProblem(incoming: IncomingMessage): Malformed | undefined {
  const { httpVersion, headers: fields } = incoming;
  if (!httpVersion.startsWith("1.")) {
    return malformed(`HTTP/${httpVersion} is not spoken here; use HTTP/1.1.`);
  }
  if (httpVersion === "1.1" && fields.host === undefined) {
    return malformed("The request has no Host; send one.");
  }
  const coding = fields["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    return malformed("The only transfer coding that is taken is chunked.");
  }
  const { expect } = fields;
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
    return malformed("The only expectation that is met is 100-continue.", 417);
  }
  return undefined;
}

function repeatedField(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    if (!singleFields.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/**
 * A target is refused that a proxy before the server may read as another one: with dot segments,
 * backslashes, or characters that should have been encoded.
 */
function targetProblem(url: string): Malformed | undefined {
  if (!/^[!-[\]-~]+$/.test(url) || url.includes("#")) {
    return malformed("The request's target has characters that must be percent-encoded.");
  }
  const path = url.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0] ?? "";
  if (/(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path)) {
    return malformed("The request's path has a segment '.' or '..'; send the path that it means.");
  }
  if (!path.includes("%")) return undefined;
  try {
    decodePart(path);
    return undefined;
  } catch (error) {
    if (error instanceof StoreError) return { error, status: 400, headers };
    throw error;
  }
}

function malformed(message: string, status = 400): Malformed {
  return { error: new StoreError("invalid_argument", message), status, headers };
}

function tooMuch(status: number, what: string, context: { readonly limit: number }): Malformed {
  const error = new StoreError("limit_exceeded", `${what}; send less.`, { context });
  return { error, status, headers };
}
