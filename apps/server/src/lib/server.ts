import { once } from "node:events";
import { createServer, type Server } from "node:http";

import { getRequestListener } from "@hono/node-server";
import { StoreError } from "@store/identity";
import type { Registry } from "@store/registry";

import { createApp } from "./app.ts";
import type { Log } from "./log.ts";
import { startSweeping } from "./sweeping.ts";

export interface ServerOptions {
  /** Stays open when the server closes: it belongs to the caller. */
  readonly registry: Registry;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly log?: Log;
  /** How long requests under way may take once the server closes; 10 seconds unless given. */
  readonly drainMs?: number;
}

export interface RunningServer {
  /** Where it listens, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Accepts nothing more, lets requests under way end, and cuts off what outlives `drainMs`. */
  close(): Promise<void>;
}

/**
 * Listens, and sweeps now and then.
 *
 * @throws {StoreError} `address_unavailable` or `permission_denied`, naming address and port.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { registry, host, port, log, drainMs = 10_000 } = options;
  const app = createApp(registry, log === undefined ? {} : { log });
  const answer = getRequestListener(app.fetch);
  const server = createServer((request, response) => void answer(request, response));
  await listen(server, host, port);
  const sweeping = startSweeping(registry, log);
  return {
    url: urlOf(server),
    async close() {
      await Promise.all([drain(server, drainMs), sweeping.stop()]);
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const what = `Cannot listen on ${host}:${port}`;
    const context = { expected: `${host}:${port}` };
    if (code === "EACCES") {
      const message = `${what}: the port needs privileges; choose one above 1023.`;
      throw new StoreError("permission_denied", message, { cause: error, context });
    }
    const reason = code === "EADDRINUSE" ? "another process does" : String(code ?? error);
    const message = `${what}: ${reason}; choose another port or address.`;
    throw new StoreError("address_unavailable", message, { cause: error, context });
  }
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new StoreError("internal", "A listening server has no address.");
  }
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

async function drain(server: Server, drainMs: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  // A kept-alive connection falls idle when its request ends, and would be kept for seconds more.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const limit = setTimeout(() => server.closeAllConnections(), drainMs);
  try {
    await closed;
  } finally {
    clearInterval(idle);
    clearTimeout(limit);
  }
}
