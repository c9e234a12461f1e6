import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { StoreError } from "@store/identity";
import type { Hono } from "hono";

import { problemHeaders, problemOf } from "../problem.ts";
import type { HttpLimits } from "./limits.ts";
import { waitsForContinue } from "./request-body.ts";
import { requestIdOf } from "./request-id.ts";
import { createResponseHeaders } from "./response-headers.ts";

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
    // HTTP/1.0 has no Host; where HTTP/1.1 has none the app refuses it.
    hostname: "localhost",
    errorHandler: () => malformedResponse(),
  });
  const outgoings = new WeakMap<Duplex, ServerResponse>();
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    outgoings.set(incoming.socket, outgoing);
    void answer(incoming, outgoing);
  };
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      // A body may take hours; how long it may stand still is seen to where it is read.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      insecureHTTPParser: false,
      requireHostHeader: false,
      noDelay: true,
    },
    serve,
  );
  server.maxConnections = limits.connections;
  // More would be dropped without a word: the app counts them itself, and refuses.
  server.maxHeadersCount = 0;
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    waitsForContinue(incoming);
    serve(incoming, outgoing);
  });
  // Any other expectation is refused by the app.
  server.on("checkExpectation", serve);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    refuse(error, socket, outgoings.get(socket)?.headersSent === true);
  });
  return server;
}

/** What the app is not asked about, since its target is no URL. */
function malformedResponse(): Response {
  const message = "The request's target or Host is no URL's.";
  const { status, headers, body } = problemParts(new StoreError("invalid_argument", message));
  return new Response(body, { status, headers: { ...headers, connection: "close" } });
}

/** Answers what the parser refused, where an answer can still be given. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex, isAnswered: boolean): void {
  if (error.code === "ECONNRESET" || !socket.writable || isAnswered) {
    socket.destroy();
    return;
  }
  const { error: refusal, status: own } = refusalOf(error.code);
  const { status, headers, body } = problemParts(refusal, own);
  const length = { "content-length": String(Buffer.byteLength(body)), connection: "close" };
  const fields = Object.entries({ ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const text = `HTTP/1.1 ${status} ${reasons[status] ?? "Error"}\r\n${fields.join("")}\r\n${body}`;
  socket.end(text, () => socket.destroy());
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

const standard = createResponseHeaders({});

function problemParts(error: StoreError, ownStatus?: number) {
  const requestId = requestIdOf(undefined);
  const status = ownStatus === undefined ? {} : { status: ownStatus };
  const problem = problemOf(error, { requestId, ...status });
  return {
    status: problem.status,
    headers: { ...standard.of(undefined), ...problemHeaders(problem), "x-request-id": requestId },
    body: JSON.stringify(problem),
  };
}
