import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { StoreError } from "@store/identity";
import type { Hono } from "hono";

import { problemHeaders, type Problem } from "../problem.ts";
import { arrivalOf, headerOf, type Arrival, type ServerContext } from "./arrival.ts";
import { deliver } from "./deliver.ts";
import { openExchange } from "./exchange.ts";
import type { BytesReply, Handlers } from "./handler.ts";
import type { LiveExchange } from "./live-exchanges.ts";
import { loggedProblem } from "./logged-problem.ts";
import { resourcesOf, type AnyReply, type Operation, type Resource } from "./operation.ts";
import { RefusedRequest } from "./refused-request.ts";
import { isBodyUnread } from "./request-body.ts";
import { malformationOf } from "./request-target.ts";
import { isStream, type SentBytes } from "./send-bytes.ts";
import type { Serving } from "./serving.ts";

/** Answers every operation at its path, and everything else with a problem. */
export function mountAll(
  app: Hono<{ Bindings: HttpBindings }>,
  serving: Serving,
  handlers: Handlers,
): void {
  // What has a name stands before a parameter at its place, since the first that matches answers.
  const resources = [...resourcesOf(handlers)].toSorted(
    ([one], [other]) => Number(one.includes("{")) - Number(other.includes("{")),
  );
  for (const [path, resource] of resources) {
    app.all(honoPath(path), (context) => answer(serving, context, resource));
  }
  app.notFound((context) => answer(serving, context, undefined));
}

/** OpenAPI's `{name}` in Hono's words; the last parameter `path` takes slashes too. */
function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === "path" ? ":path{.+}" : `:${name}`,
  );
}

/** What a request gets, and which error that tells of. */
interface Outcome {
  readonly reply: BytesReply;
  readonly problem?: Problem;
}

async function answer(
  serving: Serving,
  context: ServerContext,
  resource: Resource | undefined,
): Promise<Response> {
  const arrival = arrivalOf(context, serving);
  const operation = resource?.get(arrival.method);
  using live = serving.exchanges.begin(arrival.outgoing);
  let outcome: Outcome;
  try {
    const reply = await replyTo(serving, arrival, live, resource);
    outcome = "error" in reply ? refuse(serving, arrival, reply) : { reply };
  } catch (error) {
    outcome = refuse(serving, arrival, refusalOf(live.causeOf(error)));
  }
  if (outcome.problem !== undefined) live.leavePlace();
  let sent: SentBytes = { sizeBytes: 0, outcome: "whole" };
  const { outgoing } = arrival;
  try {
    if (arrival.method === "HEAD") return headResponse(arrival, outcome.reply);
    sent = await send(serving, arrival, outcome.reply);
    return RESPONSE_ALREADY_SENT;
  } catch (error) {
    if (outgoing.headersSent || outgoing.destroyed) {
      sent = { sizeBytes: 0, outcome: "cut", cause: error };
    } else {
      outcome = refuse(serving, arrival, refusalOf(live.causeOf(error)));
      sent = await send(serving, arrival, outcome.reply);
    }
    return RESPONSE_ALREADY_SENT;
  } finally {
    tell(serving, arrival, operation, outcome, sent);
  }
}

async function replyTo(
  serving: Serving,
  arrival: Arrival,
  live: LiveExchange,
  resource: Resource | undefined,
): Promise<BytesReply | Refusal> {
  const { incoming, method } = arrival;
  const malformed = malformationOf(incoming, serving.limits);
  if (malformed !== undefined) return malformed;
  const preflight = preflightOf(serving, arrival, resource);
  if (preflight !== undefined) return withStandardHeaders(serving, arrival, preflight);
  if (resource === undefined) return routeNotFound(arrival);
  const operation = resource.get(method);
  if (operation === undefined) return methodNotAllowed(arrival, resource);
  if (!waitsForStranger(operation)) takePlace(operation, live);
  const exchange = await openExchange(serving, arrival, live, operation);
  takePlace(operation, live);
  return withStandardHeaders(serving, arrival, bytesOf(await operation.handle(exchange)));
}

/** Whether a body is read of which nobody knows who sends it. */
function waitsForStranger({ route }: Operation): boolean {
  return route.access === "public" && route.body !== undefined;
}

/** That the process answers is told however much there is to do. */
function takePlace({ name }: Operation, live: LiveExchange): void {
  if (name !== "getHealth") live.takePlace();
}

/** An error with what HTTP says beside it: a status of its own, or header fields. */
interface Refusal {
  readonly error: unknown;
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusalOf(thrown: unknown): Refusal {
  return thrown instanceof RefusedRequest ? thrown : { error: thrown };
}

function routeNotFound({ path }: Arrival): Refusal {
  const message = `Nothing is served at ${path.slice(0, 200)}; /docs lists what is.`;
  return { error: new StoreError("route_not_found", message) };
}

/** RFC 9110 §15.5.6. */
function methodNotAllowed({ path, method }: Arrival, resource: Resource): Refusal {
  const allow = [...resource.keys()].toSorted().join(", ");
  const message = `${path.slice(0, 200)} does not answer ${method}; it answers ${allow}.`;
  return { error: new StoreError("method_not_allowed", message), headers: { allow } };
}

function preflightOf(
  { headers }: Serving,
  { incoming, method }: Arrival,
  resource: Resource | undefined,
): BytesReply | undefined {
  if (method !== "OPTIONS" || resource === undefined) return undefined;
  const allowed = headers.preflight(
    headerOf(incoming, "origin"),
    {
      method: headerOf(incoming, "access-control-request-method"),
      headers: headerOf(incoming, "access-control-request-headers"),
    },
    [...resource.keys()],
  );
  return allowed === undefined ? undefined : { status: 204, headers: allowed };
}

/** A reply as bytes; `json` is written out. */
function bytesOf({ status, headers = {}, json, bytes }: AnyReply): BytesReply {
  if (json === undefined) return { status, headers, ...(bytes === undefined ? {} : { bytes }) };
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    bytes: JSON.stringify(json),
  };
}

function withStandardHeaders(
  { headers: standard, closing }: Serving,
  { incoming, requestId }: Arrival,
  reply: BytesReply,
): BytesReply {
  const headers: Record<string, string> = {
    ...standard.of(headerOf(incoming, "origin")),
    "x-request-id": requestId,
    ...reply.headers,
  };
  const vary = standard.vary(reply.headers.vary);
  if (vary !== undefined) headers.vary = vary;
  if (closing.aborted) headers.connection = "close";
  return { ...reply, headers };
}

/** The problem that tells of an error, which is logged or recorded as it should be. */
function refuse(serving: Serving, arrival: Arrival, refusal: Refusal): Outcome {
  const problem = loggedProblem(serving, arrival, refusal.error, refusal.status);
  recordRefusal(serving, arrival, problem);
  const headers = { ...problemHeaders(problem), ...refusal.headers };
  const bytes = JSON.stringify(problem);
  const reply = { status: problem.status, headers, bytes };
  return { reply: withStandardHeaders(serving, arrival, reply), problem };
}

/** Hono wraps what answers a HEAD, so that is left to it. */
function headResponse({ incoming }: Arrival, { status, headers, bytes }: BytesReply): Response {
  const isSized = status !== 204 && status !== 304 && bytes !== undefined && !isStream(bytes);
  const length = isSized ? { "content-length": String(Buffer.byteLength(bytes)) } : {};
  const ended = isBodyUnread(incoming) ? { connection: "close" } : {};
  return new Response(null, { status, headers: { ...length, ...headers, ...ended } });
}

/** Notes whom the instance did not let in. */
function recordRefusal({ service }: Serving, arrival: Arrival, { code, status }: Problem): void {
  if (status !== 401 && status !== 403 && status !== 429) return;
  const { address, principal, method, path, requestId } = arrival;
  const actor = principal?.actor ?? "anonymous";
  service.access.recordRefusal({ code, address, actor, method, path, requestId });
}

async function send(serving: Serving, arrival: Arrival, reply: BytesReply): Promise<SentBytes> {
  const { incoming, outgoing } = arrival;
  if (outgoing.destroyed) return { sizeBytes: 0, outcome: "gone" };
  return await deliver(incoming, outgoing, reply, serving.limits.idleTimeoutMs);
}

function tell(
  { onAnswered, log }: Serving,
  arrival: Arrival,
  operation: Operation | undefined,
  { reply, problem }: Outcome,
  sent: SentBytes,
): void {
  const { requestId, method, path, address, principal, receivedBytes } = arrival;
  if (sent.outcome === "cut") {
    log?.error(`${method} ${path} was cut off (${requestId})`, sent.cause);
  }
  onAnswered?.({
    requestId,
    ...(operation === undefined ? {} : { operation: operation.name }),
    method,
    path,
    address,
    ...(principal === undefined ? {} : { actor: principal.actor }),
    status: reply.status,
    ...(problem === undefined ? {} : { code: problem.code }),
    ...traceOf(arrival),
    durationMs: performance.now() - arrival.beganMs,
    receivedBytes,
    sentBytes: sent.sizeBytes,
    outcome: sent.outcome,
  });
}

/** W3C Trace Context §3.2; what is longer is none. */
function traceOf({ incoming }: Arrival): { traceParent?: string } {
  const traceParent = headerOf(incoming, "traceparent");
  return traceParent === undefined || traceParent.length > 64 ? {} : { traceParent };
}
