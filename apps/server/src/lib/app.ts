import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";

import { createHandlers } from "./handlers.ts";
import { noProxies, type TrustedProxies } from "./http/client-address.ts";
import type { Service } from "./http/handler.ts";
import { defaultHttpLimits, type HttpLimits } from "./http/limits.ts";
import { LiveExchanges } from "./http/live-exchanges.ts";
import { mountAll } from "./http/mount.ts";
import { createResponseHeaders } from "./http/response-headers.ts";
import type { AnsweredRequest, Serving } from "./http/serving.ts";
import type { Log } from "./log.ts";
import { defaultEventLimits, type EventLimits } from "./settings.ts";

export interface AppOptions {
  readonly log?: Log;
  /** Those that are not given have their defaults. */
  readonly limits?: Partial<HttpLimits>;
  /** How the log is followed. */
  readonly events?: Partial<EventLimits>;
  /** Origins whose pages may call the API; none unless given, `*` for all. */
  readonly corsOrigins?: readonly string[];
  /** Whom to believe where a request comes from; nobody unless given. */
  readonly trustedProxies?: TrustedProxies;
  /** Where callers reach the server, e.g. `https://store.example.org`. */
  readonly publicUrl?: string;
  /** The smallest read, in bytes, that is redirected to where the bytes are; never unless given. */
  readonly redirectReadBytes?: number | undefined;
  /** Aborted when the server begins to close: what has no end of its own ends then. */
  readonly closing?: AbortSignal;
  /** Aborted when the server gives up waiting for what is under way. */
  readonly cutOff?: AbortSignal;
  /** Told of each request when it is over. */
  readonly onAnswered?: (request: AnsweredRequest) => void;
}

/**
 * The HTTP API of a service, for `getRequestListener` and `serve` of `@hono/node-server`, whose
 * request and response of Node.js it works with, or to be mounted in another app there.
 */
export function createApp(
  service: Service,
  options: AppOptions = {},
): Hono<{ Bindings: HttpBindings }> {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const exchanges = new LiveExchanges(limits.requests);
  options.cutOff?.addEventListener("abort", () => exchanges.cutOff(), { once: true });
  const serving: Serving = {
    service,
    limits,
    headers: createResponseHeaders(options),
    proxies: options.trustedProxies ?? noProxies,
    exchanges,
    guarded: new WeakMap(),
    closing: options.closing ?? new AbortController().signal,
    log: options.log,
    onAnswered: options.onAnswered,
  };
  const app = new Hono<{ Bindings: HttpBindings }>();
  const events = { ...defaultEventLimits, ...options.events };
  const { objectBytes } = limits;
  const { redirectReadBytes } = options;
  mountAll(app, serving, createHandlers(service, { events, objectBytes, redirectReadBytes }));
  return app;
}
