import { once } from "node:events";
import type { Server } from "node:http";

import { StoreError } from "@store/identity";

import { createApp, type AppOptions } from "./app.ts";
import type { Service } from "./http/handler.ts";
import { defaultHttpLimits } from "./http/limits.ts";
import { createNodeServer } from "./http/node-server.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** Where and how to serve; what is not given has its default. */
export type ServerSettings = Pick<Settings, "host" | "port"> &
  Partial<Pick<Settings, "publicUrl" | "limits" | "events" | "http">>;

export interface ServerOptions {
  /** Stays open when the server closes: it belongs to the caller. */
  readonly service: Service;
  /** A port of 0 takes a free one. */
  readonly settings: ServerSettings;
  readonly log?: Log;
  /** Told of each request when it is over. */
  readonly onAnswered?: AppOptions["onAnswered"];
}

export interface RunningServer {
  /** Where it listens, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /**
   * Accepts nothing more, ends what has no end of its own, lets requests under way end, and cuts
   * off what outlives `drainMs`.
   */
  close(): Promise<void>;
}

/** How long what was cut off may take to stop its work. */
const cutOffMs = 1_000;

/**
 * Listens. What has to be done besides answering is `startBackgroundWork`.
 *
 * @throws {StoreError} `address_unavailable` or `permission_denied`, naming address and port.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { service, settings, log, onAnswered } = options;
  const { host, port, publicUrl, limits: instance, events, http } = settings;
  const limits = {
    ...defaultHttpLimits,
    ...http?.limits,
    ...(instance === undefined ? {} : { objectBytes: instance.objectLimitBytes }),
  };
  const closing = new AbortController();
  const cutOff = new AbortController();
  const app = createApp(service, {
    limits,
    closing: closing.signal,
    cutOff: cutOff.signal,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(events === undefined ? {} : { events }),
    ...(http === undefined
      ? {}
      : {
          corsOrigins: http.corsOrigins,
          trustedProxies: http.trustedProxies,
          redirectReadBytes: http.redirectReadBytes,
        }),
    ...(log === undefined ? {} : { log }),
    ...(onAnswered === undefined ? {} : { onAnswered }),
  });
  const server = createNodeServer(app, limits);
  await listen(server, host, port);
  return {
    url: urlOf(server),
    async close() {
      closing.abort(new StoreError("closed", "The server closes; try again later."));
      await drain(server, cutOff, http?.drainMs ?? 10_000);
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

async function drain(server: Server, cutOff: AbortController, drainMs: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  // A kept-alive connection falls idle when its request ends, and would be kept for seconds more.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  let last: NodeJS.Timeout | undefined;
  const limit = setTimeout(() => {
    cutOff.abort();
    last = setTimeout(() => server.closeAllConnections(), cutOffMs);
  }, drainMs);
  try {
    await closed;
  } finally {
    clearInterval(idle);
    clearTimeout(limit);
    clearTimeout(last);
  }
}
