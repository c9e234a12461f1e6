import { isStoreError, storeErrorCodes, StoreError } from "@store/identity";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

import { httpStatusOf } from "./error-status.ts";

/** An RFC 9457 problem; `code` and `context` are Store's own members. */
export interface Problem {
  /** `about:blank`: what went wrong is said by `code`, not by an address. */
  readonly type: "about:blank";
  readonly title: string;
  readonly status: ContentfulStatusCode;
  readonly detail: string;
  readonly code?: string;
  readonly [member: string]: unknown;
}

/** Answers with a problem as `application/problem+json`. */
export function problemResponse(
  c: Context,
  problem: Problem,
  headers: Record<string, string> = {},
): Response {
  return c.body(JSON.stringify(problem), problem.status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...headers,
  });
}

/** The problem that tells of an error. What was not thrown on purpose is not told outside. */
export function problemOf(error: unknown): Problem {
  const known = isStoreError(error) ? error : new StoreError("internal", storeErrorCodes.internal);
  return {
    type: "about:blank",
    title: storeErrorCodes[known.code],
    status: httpStatusOf(known.code),
    detail: known.message,
    code: known.code,
    ...(Object.keys(known.context).length > 0 ? { context: known.context } : {}),
  };
}
