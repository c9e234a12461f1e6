import { Agent as PlainAgent, request as plainRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";

import {
  isBlob,
  type AnswerHeaders,
  type RequestBody,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from "../http/transport.ts";

export interface NodeTransportOptions {
  /** Most connections to the server at once; 64 unless given. */
  readonly connections?: number;
}

/** A transport whose connections stay open for the next request. */
export interface NodeTransport extends Transport {
  /** Closes the connections that wait for a request. Without it they do not hold the process up. */
  close(): void;
}

/** Read from the socket at once; more a chunk is less work a byte. */
const readBytes = 1024 * 1024;

/**
 * Sends requests by `node:http` and `node:https`: it moves bytes with a third of the work that
 * `fetch` has, and waits for an answer as long as it takes.
 */
export function nodeTransport({ connections = 64 }: NodeTransportOptions = {}): NodeTransport {
  const settings = { keepAlive: true, maxSockets: connections, highWaterMark: readBytes };
  const [plain, tls] = [new PlainAgent(settings), new TlsAgent(settings)];
  const send: Transport = (request) => {
    const isTls = request.url.startsWith("https:");
    const open = isTls ? tlsRequest : plainRequest;
    const outgoing = open(request.url, {
      method: request.method,
      headers: headersOf(request),
      agent: isTls ? tls : plain,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    return exchange(outgoing, request.body);
  };
  const close = (): void => {
    plain.destroy();
    tls.destroy();
  };
  return Object.assign(send, { close });
}

function headersOf({ headers, body }: TransportRequest): Record<string, string> {
  const sizeBytes = sizeOf(body);
  return sizeBytes === undefined
    ? { ...headers }
    : { ...headers, "content-length": `${sizeBytes}` };
}

/** Of what has no size, it is not said; then the body goes in pieces. */
function sizeOf(body: RequestBody | undefined): number | undefined {
  if (typeof body === "string") return Buffer.byteLength(body);
  if (body instanceof Uint8Array) return body.byteLength;
  return isBlob(body) ? body.size : undefined;
}

function exchange(
  outgoing: ClientRequest,
  body: RequestBody | undefined,
): Promise<TransportAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<TransportAnswer>();
  let isAnswered = false;
  outgoing.on("error", reject);
  outgoing.on("response", (incoming) => {
    isAnswered = true;
    resolve({
      status: incoming.statusCode ?? 0,
      headers: answerHeaders(incoming),
      body: bytesOf(incoming),
    });
  });
  // What is sent after the answer, nobody reads: a server answers early to refuse.
  sendBody(outgoing, body, () => isAnswered).catch((error: unknown) => {
    reject(error);
    outgoing.destroy();
  });
  return promise;
}

async function sendBody(
  outgoing: ClientRequest,
  body: RequestBody | undefined,
  isAnswered: () => boolean,
): Promise<void> {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  for await (const chunk of isBlob(body) ? body.stream() : body) {
    if (isAnswered() || outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

/** Until there is room again, the answer is there, or the connection is not. */
function drained(outgoing: ClientRequest): Promise<void> {
  if (outgoing.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done).off("response", done).off("close", done);
      resolve();
    };
    outgoing.on("drain", done).on("response", done).on("close", done);
  });
}

/** Leaving the loop ends the message, and with it a request that was not sent to its end. */
async function* bytesOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of incoming) yield chunk as Buffer;
}

function answerHeaders({ headers }: IncomingMessage): AnswerHeaders {
  return {
    get: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value.join(", ") : (value ?? null);
    },
  };
}
