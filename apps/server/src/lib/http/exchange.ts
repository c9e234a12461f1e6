import { guardRegistry, type Principal } from "@store/access";
import { StoreError } from "@store/identity";
import type { Registry } from "@store/registry";

import { admit } from "./admission.ts";
import { headerOf, type Arrival } from "./arrival.ts";
import type { Exchange } from "./handler.ts";
import { readJsonBody } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { loggedProblem } from "./logged-problem.ts";
import type { Operation } from "./operation.ts";
import { parseWith, readQuery } from "./parse.ts";
import { hasBody, readBody } from "./request-body.ts";
import type { Serving } from "./serving.ts";

/**
 * Lets a request in and parses it. Nothing is parsed before the caller is known to be let in, and
 * no byte of a body is asked for before the rest of the request is right.
 *
 * @throws {StoreError} what refuses the request
 */
export async function openExchange(
  serving: Serving,
  arrival: Arrival,
  live: { readonly signal: AbortSignal },
  operation: Operation,
): Promise<Exchange> {
  const { service, limits, closing } = serving;
  const { context, incoming, outgoing, requestId, address, method } = arrival;
  const { route } = operation;
  const principal = await admit(service.access, route.access, arrival);
  const params = paramsOf(operation, arrival);
  const query = queryOf(operation, arrival);
  const onChunk = (sizeBytes: number): void => {
    arrival.receivedBytes += sizeBytes;
  };
  assertBodyIsTaken(operation, arrival);
  const body =
    route.body?.kind === "json"
      ? await readJsonBody(incoming, outgoing, route.body, {
          limits: route.access === "public" ? forStrangers(limits) : limits,
          onChunk,
        })
      : undefined;
  return {
    context,
    params,
    query,
    body,
    principal,
    requestId,
    address,
    closing,
    isHead: method === "HEAD",
    header: (name) => headerOf(incoming, name),
    bytes: readBody(incoming, outgoing, {
      bytes: limits.objectBytes,
      idleMs: limits.idleTimeoutMs,
      onChunk,
    }),
    problemOf: (error) => loggedProblem(serving, arrival, error),
    get registry() {
      return guardedFor(serving, principal);
    },
    get signal() {
      return live.signal;
    },
  };
}

/** Enough for the longest name and password, and little enough for every connection to hold it. */
const strangersBytes = 16 * 1024;

function forStrangers(limits: HttpLimits): HttpLimits {
  return { ...limits, jsonBytes: Math.min(limits.jsonBytes, strangersBytes) };
}

/** Callers come back with the same credential, and get the same registry as long as it is known. */
function guardedFor({ service, guarded }: Serving, principal: Principal): Registry {
  let registry = guarded.get(principal);
  if (registry === undefined) {
    registry = guardRegistry(service.registry, principal);
    guarded.set(principal, registry);
  }
  return registry;
}

function paramsOf({ route }: Operation, { context }: Arrival): Exchange["params"] {
  if (route.params === undefined) return undefined;
  return parseWith(route.params, context.req.param(), "The path", "invalid_argument");
}

function queryOf({ route, queryNames }: Operation, { incoming }: Arrival): Exchange["query"] {
  const query = readQuery(incoming.url ?? "/", queryNames);
  if (route.query === undefined) return undefined;
  return parseWith(route.query, query, "The query", "invalid_argument");
}

function assertBodyIsTaken({ route }: Operation, { incoming, method }: Arrival): void {
  if (!hasBody(incoming)) return;
  const encoding = incoming.headers["content-encoding"]?.toLowerCase();
  if (encoding !== undefined && encoding !== "identity") {
    throw new StoreError(
      "unsupported_media_type",
      "A body with a Content-Encoding is not taken; send it as it is.",
      { context: { actual: encoding.slice(0, 80) } },
    );
  }
  if (route.body === undefined) {
    throw new StoreError("invalid_argument", `${method} takes no body here; send none.`);
  }
}
