import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

import { createClient, type ClientOptions, type StoreClient } from "../src/index.ts";
import { nodeTransport } from "../src/node.ts";

/** A request as a double saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A server that answers as it is told, on a free port, until the test ends. */
export interface Double {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Answers the next requests, one each; the last one answers all that follow. */
  answer(...answers: readonly Answer[]): void;
  client(options?: Partial<ClientOptions>): StoreClient;
  close(): Promise<void>;
}

/** Pauses that a test does not wait for. */
export const quick = { firstDelayMs: 1, longestDelayMs: 2 } as const;

/** Both ways in which requests are sent. */
export const transports = ["fetch", "node:http"] as const;

export async function openDouble(
  transport: (typeof transports)[number] = "node:http",
): Promise<Double> {
  const seen: SeenRequest[] = [];
  let queue: Answer[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, headers });
    const [next] = queue;
    if (queue.length > 1) queue.shift();
    // A test that cuts a connection makes errors, which are nobody's.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    void next?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const sender = transport === "fetch" ? undefined : nodeTransport();
  const close = async () => {
    sender?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return {
    url,
    seen,
    answer: (...answers) => {
      queue = [...answers];
    },
    client: (options = {}) =>
      createClient({
        url,
        retry: quick,
        ...(sender === undefined ? {} : { transport: sender }),
        ...options,
      }),
    close,
  };
}

/** Answers with JSON, once the request's body was read. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return async (request, response) => {
    await read(request);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Answers with a problem (RFC 9457). */
export function problem(
  status: number,
  code: string,
  headers: Record<string, string> = {},
  context?: object,
): Answer {
  return async (request, response) => {
    await read(request);
    response.writeHead(status, { "content-type": "application/problem+json", ...headers });
    const detail = `It is refused: ${code}.`;
    const body = { type: "about:blank", title: "Refused", status, detail, code, context };
    response.end(request.method === "HEAD" ? undefined : JSON.stringify(body));
  };
}

/** Answers without a body. */
export function empty(status: number, headers: Record<string, string> = {}): Answer {
  return async (request, response) => {
    await read(request);
    response.writeHead(status, headers).end();
  };
}

/** Takes the request and cuts the connection. */
export const cut: Answer = async (request) => {
  await read(request).catch(() => undefined);
  request.socket.destroy();
};

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
