import { problemMediaType } from "@store/api";
import {
  isStoreError,
  storeErrorCodes,
  StoreError,
  type StoreErrorCode,
  type StoreErrorContext,
} from "@store/identity";

import { httpStatusOf } from "./error-status.ts";

/** An RFC 9457 problem; `code`, `requestId` and `context` are Store's own members. */
export interface Problem {
  /** `about:blank`: what went wrong is said by `code`, not by an address. */
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: StoreErrorCode;
  /** What the server's log calls the request. */
  readonly requestId?: string;
  readonly context?: StoreErrorContext;
}

/** What a problem says of the request beside the error. */
export interface ProblemOptions {
  readonly requestId?: string;
  /** Where HTTP has a status of its own for this case, e.g. 414 for `limit_exceeded`. */
  readonly status?: number;
}

/** The problem that tells of an error. What was not thrown on purpose is not told outside. */
export function problemOf(error: unknown, options: ProblemOptions = {}): Problem {
  const known = knownError(error);
  const { requestId, status = httpStatusOf(known.code) } = options;
  return {
    type: "about:blank",
    title: storeErrorCodes[known.code],
    status,
    detail: known.message,
    code: known.code,
    ...(requestId === undefined ? {} : { requestId }),
    ...(Object.keys(known.context).length > 0 ? { context: known.context } : {}),
  };
}

/** The error as the caller is told of it. */
function knownError(error: unknown): StoreError {
  if (!isStoreError(error)) return new StoreError("internal", storeErrorCodes.internal);
  // What a disk or a bucket refuses the server is nothing that the caller may not do. Only such a
  // refusal has a cause: that of the system.
  if (error.code !== "permission_denied" || error.cause === undefined) return error;
  return new StoreError(
    "storage_unavailable",
    "The server is not let into its own storage. Tell those who run it; its log says more.",
  );
}

/** The header fields that belong to a problem. */
export function problemHeaders(problem: Problem): Record<string, string> {
  const retryAfter = retryAfterSeconds(problem);
  return {
    "content-type": problemMediaType,
    "cache-control": "no-store",
    ...(problem.status === 401 ? { "www-authenticate": 'Bearer realm="store"' } : {}),
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  };
}

/** How long a client should wait (RFC 9110 §10.2.3); too many failures say themselves how long. */
function retryAfterSeconds({ status, code, context }: Problem): number | undefined {
  if (status === 503) return 5;
  if (status !== 429) return undefined;
  return code === "rate_limited" ? Math.max(1, Math.ceil(context?.limit ?? 1)) : 1;
}
