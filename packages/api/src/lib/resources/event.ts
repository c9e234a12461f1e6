import { contentAddress, Digest, isDigestAlgorithm } from "@store/identity";
import { decodeCbor, type CborValue } from "@store/manifest";
import * as v from "valibot";

import * as field from "../fields.ts";

/** An event of the log: what its header says, and its payload as JSON. */
export const eventSchema = v.object({
  seq: field.count,
  id: field.id,
  type: field.described("The type of the event, e.g. `v1.package.finalized`."),
  occurred_at: field.time,
  actor: field.described("Who caused it: an opaque id."),
  subject: field.described("What it is about; begins with `namespace/name` where there is one."),
  payload_sha256: field.contentAddress,
  payload: v.unknown(),
});
export type EventJson = v.InferOutput<typeof eventSchema>;

/**
 * A page of events. `scanned_to` is the last `seq` that was looked at, which is above the last
 * item's where later events are not the caller's to read: pass it as `since` to go on.
 */
export const eventPageSchema = v.object({
  items: v.array(eventSchema),
  scanned_to: field.count,
  head: field.count,
});
export type EventPageJson = v.InferOutput<typeof eventPageSchema>;

/** What the log amounts to. */
export const logHeadSchema = v.object({
  log_id: field.id,
  size: field.count,
  root: field.described("The RFC 6962 root over all headers, in hex."),
});
export type LogHeadJson = v.InferOutput<typeof logHeadSchema>;

/** An event as the log keeps it. */
export interface StoredEventLike {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly actor: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly payloadSha256: Uint8Array;
}

/**
 * An event as JSON. Digests are written `algorithm:hex`, other bytes base64url, as in a manifest's
 * JSON.
 *
 * @throws {StoreError} `invalid_cbor` where the payload is not canonical CBOR
 */
export function encodeEvent(event: StoredEventLike): EventJson {
  return {
    seq: event.seq,
    id: event.id,
    type: event.type,
    occurred_at: event.occurredAt,
    actor: event.actor,
    subject: event.subject,
    payload_sha256: contentAddress(Digest.of("sha256", event.payloadSha256)),
    payload: jsonOf(decodeCbor(event.payload)),
  };
}

function jsonOf(value: CborValue, name = ""): unknown {
  if (value instanceof Uint8Array) {
    return isDigestAlgorithm(name) ? contentAddress(Digest.of(name, value)) : base64url(value);
  }
  if (Array.isArray(value)) return value.map((item) => jsonOf(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonOf(item, key)]));
}

function base64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCodePoint(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
