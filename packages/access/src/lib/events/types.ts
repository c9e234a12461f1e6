import * as v from "valibot";

import { scopesLimit } from "../scope.ts";

/**
 * The payload of every event type that accounts write, as decoded from its canonical CBOR;
 * `access-events.cddl` states the same. None holds a secret or a hash of one. A payload never gains
 * a field: one that says more is another version of its type.
 */

const id = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
);
const username = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/));
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/));
const scope = v.pipe(v.string(), v.regex(/^(metrics|(read|write|admin):[a-z0-9._*/-]{1,300})$/));
const scopes = v.pipe(v.array(scope), v.maxLength(scopesLimit));
const name = v.pipe(
  v.string(),
  v.check((value) => value !== "" && Buffer.byteLength(value) <= 128),
);

/** Why a session ended. */
export const endReasons = [
  "logout",
  "expired",
  "reuse",
  "disabled",
  "password",
  "superseded",
] as const;
export type EndReason = (typeof endReasons)[number];

const payloadSchemas = {
  "v1.user.created": v.strictObject({ user_id: id, username, scopes }),
  "v1.user.scopes_set": v.strictObject({ user_id: id, scopes }),
  "v1.user.disabled": v.strictObject({ user_id: id }),
  "v1.user.enabled": v.strictObject({ user_id: id }),
  "v1.user.password_set": v.strictObject({ user_id: id }),
  "v1.session.begun": v.strictObject({ session_id: id, user_id: id }),
  "v1.session.ended": v.strictObject({
    session_id: id,
    user_id: id,
    reason: v.picklist(endReasons),
  }),
  "v1.token.created": v.strictObject({
    token_id: id,
    kind: v.picklist(["api", "setup"]),
    /** Absent for the setup token, which belongs to nobody. */
    user_id: v.optional(id),
    name,
    scopes,
    expires_at: v.optional(time),
  }),
  "v1.token.revoked": v.strictObject({ token_id: id, user_id: v.optional(id) }),
  "v1.key.created": v.strictObject({ key_id: id, algorithm: v.literal("EdDSA") }),
  "v1.key.retired": v.strictObject({ key_id: id }),
} as const;

type PayloadSchemas = typeof payloadSchemas;

export type EventType = keyof PayloadSchemas;

/** Payloads by event type. */
export type EventPayloads = {
  [Type in EventType]: v.InferOutput<PayloadSchemas[Type]>;
};

/** An event that a command asks for. */
export type NewEvent<Only extends EventType = EventType> = {
  [Type in Only]: { readonly type: Type; readonly payload: EventPayloads[Type] };
}[Only];

/** Every type of event that accounts write. */
export const eventTypes = Object.keys(payloadSchemas) as readonly EventType[];

/** Whether a payload is one of its type. */
export function isPayload(type: EventType, payload: unknown): boolean {
  return v.is(payloadSchemas[type], payload);
}
