import type { StoreError } from "@store/identity";

import { problemHeaders, problemOf } from "../problem.ts";
import type { BytesReply, Exchange } from "./handler.ts";

/** A problem as an answer, where it has headers or a status of its own. */
export function problemReply(
  { requestId }: Pick<Exchange, "requestId">,
  error: StoreError,
  { status, headers }: { status?: number; headers?: Readonly<Record<string, string>> },
): BytesReply {
  const problem = problemOf(error, { requestId, ...(status === undefined ? {} : { status }) });
  return {
    status: problem.status,
    headers: { ...problemHeaders(problem), ...headers },
    bytes: Buffer.from(JSON.stringify(problem)),
  };
}
