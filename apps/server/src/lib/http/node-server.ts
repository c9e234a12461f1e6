import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { StoreError } from "@store/identity";
import type { Hono } from "hono";

import { problemHeaders, problemOf } from "../problem.ts";
import type { HttpLimits } from "./limits.ts";
import { waitsForContinue } from "./request-body.ts";
import { requestIdOf } from "./request-id.ts";

/**
 * Node's HTTP server before an app, with its limits. The parser is the strict one: what two readers
 * could read as different requests is refused, and the connection closed.
 */
export function createNodeServer(
  app: Hono<{ Bindings: HttpBindings }>,
  limits: HttpLimits,
): Server {
  const answer = getRequestListener(app.fetch, {
    // The answer itself sees to what is left of a request's body.
    autoCleanupIncoming: false,
    overrideGlobalObjects: false,
    errorHandler: () => malformedResponse(),
  });
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      // A body may take hours; how long it may stand still is seen to where it is read.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      insecureHTTPParser: false,
      noDelay: true,
    },
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  server.maxConnections = limits.connections;
  // More would be dropped without a word: the app counts them itself, and refuses.
  server.maxHeadersCount = 0;
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    waitsForContinue(incoming);
    void answer(incoming, outgoing);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(error, socket));
  return server;
}

/** What the app is not asked about, since it has no URL. */
function malformedResponse(): Response {
  const message = "The request has no Host, or a target that is no URL.";
  const { status, headers, body } = problemParts(new StoreError("invalid_argument", message));
  return new Response(body, { status, headers: { ...headers, connection: "close" } });
}

/** Answers what the parser refused, where an answer can still be given. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  const hasAnswered = "_httpMessage" in socket && socket._httpMessage !== null;
  if (error.code === "ECONNRESET" || !socket.writable || hasAnswered) {
    socket.destroy();
    return;
  }
  const { error: refusal, status: own } = refusalOf(error.code);
  const { status, headers, body } = problemParts(refusal, own);
  const fields = Object.entries({
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
    "x-content-type-options": "nosniff",
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${reasons[status] ?? "Error"}\r\n${fields.join("")}\r\n${body}`);
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
};

function refusalOf(code: string | undefined): { error: StoreError; status?: number } {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { error: new StoreError("request_timeout", "The request did not arrive in time.") };
    case "HPE_HEADER_OVERFLOW":
      return {
        error: new StoreError("limit_exceeded", "The request's header fields are too large."),
        status: 431,
      };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return {
        error: new StoreError("limit_exceeded", "The body's chunk extensions are too large."),
      };
    default:
      return { error: new StoreError("invalid_argument", "The request is not valid HTTP/1.1.") };
  }
}

function problemParts(error: StoreError, ownStatus?: number) {
  const requestId = requestIdOf(undefined);
  const status = ownStatus === undefined ? {} : { status: ownStatus };
  const problem = problemOf(error, { requestId, ...status });
  return {
    status: problem.status,
    headers: { ...problemHeaders(problem), "x-request-id": requestId },
    body: JSON.stringify(problem),
  };
}
