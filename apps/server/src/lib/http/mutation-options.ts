import type { MutationOptions } from "@store/registry";

import type { Exchange } from "./handler.ts";

/** What every change takes of a request's header fields. */
export function mutationOptions({ header }: Pick<Exchange, "header">): MutationOptions {
  const idempotencyKey = header("idempotency-key");
  return idempotencyKey === undefined ? {} : { idempotencyKey };
}
