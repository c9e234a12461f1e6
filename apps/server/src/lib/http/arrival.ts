import type { IncomingMessage, ServerResponse } from "node:http";

import type { HttpBindings } from "@hono/node-server";
import type { Principal } from "@store/access";
import type { Context } from "hono";

import { clientAddress } from "./client-address.ts";
import { methodOf } from "./method-override.ts";
import { requestIdOf } from "./request-id.ts";
import type { Serving } from "./serving.ts";

export type ServerContext = Context<{ Bindings: HttpBindings }>;

/** A request as it arrived, and what became known of it on its way. */
export interface Arrival {
  readonly context: ServerContext;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
  readonly method: string;
  /** Without the query, as it was sent. */
  readonly path: string;
  readonly address: string;
  readonly beganMs: number;
  receivedBytes: number;
  principal?: Principal;
}

export function arrivalOf(context: ServerContext, { proxies }: Serving): Arrival {
  const { incoming, outgoing } = context.env;
  const { headers, url = "/" } = incoming;
  const forwardedFor = headers["x-forwarded-for"];
  const query = url.indexOf("?");
  return {
    context,
    incoming,
    outgoing,
    requestId: requestIdOf(headerOf(incoming, "x-request-id")),
    method: methodOf(incoming),
    path: query === -1 ? url : url.slice(0, query),
    address: clientAddress(
      incoming.socket.remoteAddress,
      Array.isArray(forwardedFor) ? forwardedFor.join(",") : forwardedFor,
      proxies,
    ),
    beganMs: performance.now(),
    receivedBytes: 0,
  };
}

/** A header by its lowercase name; several of one name are one, separated by commas. */
export function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}
