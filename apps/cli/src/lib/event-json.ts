import { isDigestAlgorithm } from "@store/identity";
import { decodeCbor, type CborValue } from "@store/manifest";
import type { StoredEvent } from "@store/events";

/**
 * An event as JSON: what its header says, and its payload. Digests are written `algorithm:hex`,
 * other bytes base64url, as in a manifest's JSON.
 */
export function eventJson(event: StoredEvent): object {
  return {
    seq: event.seq,
    id: event.id,
    type: event.type,
    occurred_at: event.occurredAt,
    actor: event.actor,
    subject: event.subject,
    payload_sha256: `sha256:${Buffer.from(event.payloadSha256).toString("hex")}`,
    payload: jsonOf(decodeCbor(event.payload)),
  };
}

function jsonOf(value: CborValue, name = ""): unknown {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (isDigestAlgorithm(name)) return `${name}:${bytes.toString("hex")}`;
    return bytes.toString("base64url");
  }
  if (Array.isArray(value)) return value.map((item) => jsonOf(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonOf(item, key)]));
}
