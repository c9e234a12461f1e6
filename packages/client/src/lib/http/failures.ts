import { problemMediaType, problemSchema, type ProblemJson } from "@store/api";
import {
  isStoreError,
  StoreError,
  storeErrorCodes,
  type StoreErrorCode,
  type StoreErrorContext,
} from "@store/identity";
import * as v from "valibot";

import { readAll } from "./streams.ts";
import type { TransportAnswer } from "./transport.ts";

/** A failed attempt, and whether the same may succeed later. */
export interface Failure {
  readonly error: StoreError;
  readonly isTransient: boolean;
  /** Whether the request may have been carried out although no answer came. */
  readonly isAmbiguous: boolean;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs?: number;
  readonly status?: number;
}

const problemLimitBytes = 1024 * 1024;

/** What the same request may meet with success later. */
const transientCodes: ReadonlySet<StoreErrorCode> = new Set([
  "database_unavailable",
  "storage_unavailable",
  "commit_unknown",
  "rate_limited",
  "request_timeout",
  "upload_locked",
  // What a server says that is going down.
  "aborted",
  "closed",
]);

/** The codes of answers that are no problems of Store's, e.g. those of a proxy. */
const codeOfStatus: Readonly<Record<number, StoreErrorCode>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "route_not_found",
  405: "method_not_allowed",
  406: "not_acceptable",
  408: "request_timeout",
  412: "precondition_failed",
  413: "limit_exceeded",
  415: "unsupported_media_type",
  416: "invalid_range",
  429: "rate_limited",
  431: "limit_exceeded",
  502: "storage_unavailable",
  503: "storage_unavailable",
  504: "storage_unavailable",
  507: "storage_full",
};

/** The failure that an answer of an unwanted status tells of; reads its body. */
export async function answeredFailure(answer: TransportAnswer, what: string): Promise<Failure> {
  const { status, headers } = answer;
  const problem = await readProblem(answer);
  const error = problem === undefined ? unexplained(status, what) : errorOf(problem);
  const retryAfterMs = retryAfter(headers.get("retry-after"));
  return {
    error,
    isTransient: transientCodes.has(error.code),
    isAmbiguous: error.code === "commit_unknown" || (problem === undefined && status >= 500),
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** The failure of a request to which no answer came, or only a part of it. */
export function unansweredFailure(
  cause: unknown,
  what: string,
  signal: AbortSignal | undefined,
): Failure {
  if (signal?.aborted === true) return final(abortedError(what, signal));
  if (isStoreError(cause)) return final(cause);
  const error = new StoreError(
    "storage_unavailable",
    `The server did not answer ${what}: ${networkReason(cause)}.`,
    { cause },
  );
  return { error, isTransient: true, isAmbiguous: !isUnsent(cause) };
}

/** No connection was made, so that nothing was sent. */
function isUnsent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN") return true;
  return isUnsent(error.cause);
}

function final(error: StoreError): Failure {
  return { error, isTransient: false, isAmbiguous: false };
}

/** A failure that is known by its error only, as a whole call threw it. */
export function thrownFailure(
  cause: unknown,
  what: string,
  signal: AbortSignal | undefined,
): Failure {
  const failure = unansweredFailure(cause, what, signal);
  const { code } = failure.error;
  // What the caller's signal ended is over; a server's `aborted` is not.
  return signal?.aborted === true ? failure : { ...failure, isTransient: transientCodes.has(code) };
}

/** What is thrown once the caller's signal has fired. */
export function abortedError(what: string, signal: AbortSignal): StoreError {
  return new StoreError("aborted", `${capital(what)} was given up: its signal was aborted.`, {
    cause: signal.reason,
  });
}

/** What is thrown where an answer is none that the server's API allows. */
export function wrongAnswer(what: string, why: string, cause?: unknown): StoreError {
  return new StoreError(
    "internal",
    `The answer to ${what} cannot be understood: ${why}. Is this a Store server of this version?`,
    cause === undefined ? {} : { cause },
  );
}

/** The error of a problem; of a code that is unknown here, `internal` with the same words. */
export function errorOf({
  code,
  detail,
  context,
}: Pick<ProblemJson, "code" | "detail" | "context">) {
  const options = context === undefined ? {} : { context: contextOf(context) };
  return isCode(code)
    ? new StoreError(code, detail, options)
    : new StoreError("internal", `${detail} (${code})`, options);
}

function isCode(code: string): code is StoreErrorCode {
  return Object.hasOwn(storeErrorCodes, code);
}

const oneValue = v.nullable(v.union([v.string(), v.number()]));
const contextFields = {
  reference: v.fallback(v.optional(v.string()), undefined),
  path: v.fallback(v.optional(v.string()), undefined),
  expected: v.fallback(v.optional(oneValue), undefined),
  actual: v.fallback(v.optional(oneValue), undefined),
  limit: v.fallback(v.optional(v.number()), undefined),
  candidates: v.fallback(v.optional(v.array(v.string())), undefined),
};

/** What of a problem's context is in the vocabulary of errors. */
function contextOf(context: Readonly<Record<string, unknown>>): StoreErrorContext {
  const known = Object.entries(v.parse(v.object(contextFields), context));
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

async function readProblem(answer: TransportAnswer): Promise<ProblemJson | undefined> {
  try {
    const bytes = await readAll(answer.body, problemLimitBytes);
    const mediaType = answer.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (mediaType !== problemMediaType) return undefined;
    const parsed = v.safeParse(problemSchema, JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? parsed.output : undefined;
  } catch {
    // The status says enough.
    return undefined;
  }
}

function unexplained(status: number, what: string): StoreError {
  return new StoreError(
    codeOfStatus[status] ?? "internal",
    `${capital(what)} was answered with the status ${status} and no explanation.`,
    { context: { actual: status } },
  );
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** `fetch` hides the reason in its error's cause. */
function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error && cause.message !== "") return cause.message;
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return error.message === "" && "code" in error ? String(error.code) : error.message;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
