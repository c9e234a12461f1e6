import type { LogTransaction } from "@store/events";
import { StoreError } from "@store/identity";
import { encodeCbor, type CborValue } from "@store/manifest";

import { isPayload, type NewEvent } from "./types.ts";

/** Appends an event to the log, in the transaction that makes it true. */
export function record(tx: Pick<LogTransaction, "append">, event: NewEvent): void {
  tx.append({ type: event.type, subject: subjectOf(event), payload: payloadBytes(event) });
}

/**
 * The bytes of a payload. One that its type does not allow is refused as a defect, before it stands
 * in the log for ever.
 */
export function payloadBytes({ type, payload }: NewEvent): Uint8Array {
  if (!isPayload(type, payload)) {
    throw new StoreError("internal", `A command made a ${type} with a wrong payload.`);
  }
  const present: { [key: string]: CborValue } = {};
  for (const [key, value] of Object.entries(payload)) {
    if (value !== undefined) present[key] = value;
  }
  return encodeCbor(present);
}

/** `user:<id>`, `session:<id>`, `token:<id>` or `key:<id>`: never a `namespace/name`. */
function subjectOf({ type, payload }: NewEvent): string {
  const [, noun] = type.split(".");
  if (noun === "session" && "session_id" in payload) return `session:${payload.session_id}`;
  if (noun === "token" && "token_id" in payload) return `token:${payload.token_id}`;
  if (noun === "key" && "key_id" in payload) return `key:${payload.key_id}`;
  if (noun === "user" && "user_id" in payload) return `user:${payload.user_id}`;
  throw new StoreError("internal", `A ${type} is about nothing.`);
}
