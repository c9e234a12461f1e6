import { routes, type Content, type Route, type RouteName, type Routes } from "@store/api";
import * as v from "valibot";

import { Credentials, decodeSession, type Credential, type Session } from "../session.ts";
import type { Call, CallAnswer } from "./call-types.ts";
import {
  abortedError,
  answeredFailure,
  unansweredFailure,
  wrongAnswer,
  type Failure,
} from "./failures.ts";
import { requestPath } from "./request-url.ts";
import { RequestWatch } from "./request-watch.ts";
import { Retries } from "./retries.ts";
import { readAll } from "./streams.ts";
import {
  isReplayable,
  type RequestBody,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from "./transport.ts";

export interface CallerOptions {
  /** Without a trailing slash. */
  readonly url: string;
  readonly transport: Transport;
  readonly retries: Retries;
  readonly credential: Credential | undefined;
  readonly userAgent: string | undefined;
  /** How long the server may show no sign of life. */
  readonly idleMs: number;
}

/** What every route's input may hold, whatever its types are. */
interface AnyInput {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly isHead?: boolean;
  readonly isRepeatable?: boolean;
  readonly doneBefore?: string;
}

type AnyAnswer = Omit<CallAnswer<Route>, "json"> & { readonly json: unknown };
type Values = Readonly<Record<string, string | undefined>>;

/** JSON above this is none that a route gives. */
const jsonLimitBytes = 64 * 1024 * 1024;
const repeatableMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
/** To these the credential is nothing. */
const withoutCredential: ReadonlySet<RouteName> = new Set(["login", "refreshSession"]);

/** What reads every byte, or every event, before it answers. */
const patient: ReadonlySet<RouteName> = new Set([
  "finalizePackage",
  "verifyPackage",
  "verifyLog",
  "replayViews",
  "sweep",
]);

/** Calls routes: builds requests, authenticates, tries again what may be, and checks answers. */
export class Caller {
  readonly credentials: Credentials;
  readonly retries: Retries;
  /** How long the server may show no sign of life. */
  readonly idleMs: number;
  /** Whether bytes are read at another place where the server says so; a browser cannot. */
  readsElsewhere = true;
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.retries = options.retries;
    this.idleMs = options.idleMs;
    this.credentials = new Credentials(options.credential, (token) => this.#refresh(token));
  }

  readonly call: Call = async <Name extends RouteName>(name: Name, input: object = {}) => {
    const answer = await this.#call(name, input);
    // The route's own schema has accepted the JSON.
    return answer as CallAnswer<Routes[Name]>;
  };

  get url(): string {
    return this.#options.url;
  }

  /** Reads from a place that is not the server, and is shown no credential. Tried once. */
  async askElsewhere(
    url: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<TransportAnswer> {
    const watch = new RequestWatch(undefined, signal, this.idleMs);
    try {
      return await this.#options.transport({
        url,
        method: "GET",
        headers,
        ...(watch.signal === undefined ? {} : { signal: watch.signal }),
      });
    } finally {
      watch.stop();
    }
  }

  async #call(name: RouteName, input: AnyInput): Promise<AnyAnswer> {
    const route: Route = routes[name];
    const method = input.isHead === true ? "HEAD" : route.method;
    const path = requestPath(route.path, values(input.params), values(input.query));
    const what = `${method} ${path.split("?")[0] ?? path}`;
    const attempts = this.retries.begin(what, input.signal);
    let [wasRenewed, isDoubtful] = [false, false];
    for (;;) {
      const token = withoutCredential.has(name)
        ? undefined
        : await this.credentials.token(input.signal);
      const request = this.#request(route, method, path, input, token);
      const outcome = await this.#attempt(name, request, what);
      if (!("error" in outcome)) return outcome;

      const failure = outcome;
      if (isDoubtful && failure.error.code === input.doneBefore) return nothing;
      const canResend = typeof input.body === "function" || isReplayable(request.body);
      if (failure.status === 401 && token !== undefined && !wasRenewed && canResend) {
        wasRenewed = await this.credentials.renew(token, input.signal);
        if (wasRenewed) continue;
      }
      if (!canResend || (failure.isAmbiguous && !isRepeatable(method, input))) throw failure.error;
      if (mayBeDoneInPart(method, failure)) throw failure.error;
      isDoubtful ||= failure.isAmbiguous;
      await attempts.pause(failure);
    }
  }

  #request(
    route: Route,
    method: string,
    path: string,
    input: AnyInput,
    token: string | undefined,
  ): TransportRequest {
    const { url, userAgent } = this.#options;
    const isJson = route.body?.kind === "json";
    const body = isJson ? JSON.stringify(input.body ?? {}) : bodyOf(input.body);
    const headers = {
      accept: "application/json",
      ...(isJson ? { "content-type": "application/json" } : {}),
      ...input.headers,
      ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    return {
      url: url + path,
      method,
      headers: Object.fromEntries(
        Object.entries(headers).filter((entry): entry is [string, string] => {
          return entry[1] !== undefined;
        }),
      ),
      ...(body === undefined ? {} : { body }),
      ...(input.signal === undefined ? {} : { signal: input.signal }),
    };
  }

  async #attempt(
    name: RouteName,
    request: TransportRequest,
    what: string,
  ): Promise<AnyAnswer | Failure> {
    const route: Route = routes[name];
    const { signal } = request;
    if (signal?.aborted === true) throw abortedError(what, signal);
    const watch = new RequestWatch(
      request.body,
      signal,
      patient.has(name) ? Infinity : this.idleMs,
    );
    try {
      const answer = await this.#options.transport({
        ...request,
        ...(watch.body === undefined ? {} : { body: watch.body }),
        ...(watch.signal === undefined ? {} : { signal: watch.signal }),
      });
      if (!Object.hasOwn(route.answers, answer.status)) return await answeredFailure(answer, what);
      return await checked(route, request.method, answer, what);
    } catch (error) {
      // What the source throws is its caller's own, whatever the transport made of it.
      if (watch.failure !== undefined && !isAborted(signal)) throw watch.failure.error;
      return unansweredFailure(watch.late ?? error, what, signal);
    } finally {
      watch.stop();
    }
  }

  async #refresh(refreshToken: string): Promise<Session> {
    // Never sent twice: the server would take it for theft.
    const { json } = await this.call("refreshSession", {
      body: { refresh_token: refreshToken },
      isRepeatable: false,
    });
    return decodeSession(json);
  }
}

/** The answer to what an earlier attempt had done already. */
const nothing: AnyAnswer = {
  status: 204,
  headers: { get: () => null },
  json: undefined,
  bytes: (async function* () {})(),
};

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function values(given: unknown): Values {
  return (given ?? {}) as Values;
}

function bodyOf(given: unknown): RequestBody | undefined {
  const body = given as RequestBody | (() => RequestBody) | undefined;
  return typeof body === "function" ? body() : body;
}

function isRepeatable(method: string, { isRepeatable, headers }: AnyInput): boolean {
  return (
    isRepeatable ?? (repeatableMethods.has(method) || headers?.["idempotency-key"] !== undefined)
  );
}

/** What was refused has done nothing, but for a `PATCH` of which some bytes were taken before. */
function mayBeDoneInPart(method: string, { status }: Failure): boolean {
  return method === "PATCH" && status !== undefined;
}

/** The answer, with its JSON where it has any, as the route says it is. */
async function checked(
  route: Route,
  method: string,
  { status, headers, body }: TransportAnswer,
  what: string,
): Promise<AnyAnswer> {
  const { content, alternatives = [] } = route.answers[status] ?? {};
  const mediaType = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const isBytes = alternatives.some((one) => one.mediaTypes.includes(mediaType ?? ""));
  if (method === "HEAD" || content === undefined) {
    // Read to its end, so that the connection can be used again.
    await readAll(body, jsonLimitBytes);
    return { status, headers, json: undefined, bytes: body };
  }
  if (content.kind === "bytes" || isBytes) return { status, headers, json: undefined, bytes: body };
  if (mediaType !== "application/json") {
    throw wrongAnswer(what, `it is ${mediaType ?? "of no media type"}, not JSON`);
  }
  const bytes = await readAll(body, jsonLimitBytes);
  return { status, headers, json: parsed(content, bytes, what), bytes: body };
}

function parsed(content: Content & { readonly kind: "json" }, bytes: Uint8Array, what: string) {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw wrongAnswer(what, "it is not JSON", error);
  }
  const result = v.safeParse(content.schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw wrongAnswer(what, `"${v.getDotPath(issue) ?? ""}": ${issue.message}`);
}
