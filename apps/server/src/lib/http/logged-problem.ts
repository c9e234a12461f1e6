import { isStoreError } from "@store/identity";

import { problemOf, type Problem } from "../problem.ts";
import type { Arrival } from "./arrival.ts";
import type { Serving } from "./serving.ts";

/** The problem that tells of an error; what is the server's own fault is logged. */
export function loggedProblem(
  { log }: Pick<Serving, "log">,
  { requestId, method, path, outgoing }: Arrival,
  error: unknown,
  status?: number,
): Problem {
  const problem = problemOf(error, { requestId, ...(status === undefined ? {} : { status }) });
  const isGone = isStoreError(error, "aborted") && outgoing.destroyed;
  if (problem.status >= 500 && !isGone) {
    log?.error(`${method} ${path} failed (${requestId})`, error);
  }
  return problem;
}
