import { contentAddress, StoreError, type Digest } from "@store/identity";
import {
  decodeCbor,
  encodeCbor,
  readManifestSummary,
  type CborValue,
  type ManifestSummary,
} from "@store/manifest";
import type { StoredEvent } from "@store/events";
import * as v from "valibot";

import {
  isPlainEventType,
  payloadSchema,
  type FinalizedFacts,
  type NewEvent,
  type RecordedEvent,
} from "./types.ts";
import { packageIdOf } from "./subjects.ts";

/** The payload bytes that an event is recorded with. */
export function recordedBytes(event: NewEvent): Uint8Array {
  if (event.recorded !== undefined) return event.recorded;
  const payload: { [key: string]: CborValue } = {};
  for (const [key, value] of Object.entries(event.payload)) {
    if (value !== undefined) payload[key] = value;
  }
  return encodeCbor(payload);
}

/** Gives the digest of a manifest's bytes. */
export type ManifestDigest = (bytes: Uint8Array) => Digest;

/**
 * An event of the log as projecting sees it, or undefined for a type that has no view here.
 * Throws `log_corrupt` for a payload that the type does not allow.
 */
export function recordedEvent(
  event: StoredEvent,
  manifestDigest: ManifestDigest,
): RecordedEvent | undefined {
  const { seq, occurredAt, actor, type } = event;
  if (type === "v1.package.finalized") {
    return { type, seq, occurredAt, actor, payload: finalizedFacts(event, manifestDigest) };
  }
  if (!isPlainEventType(type)) return undefined;
  const parsed = v.safeParse(payloadSchema(type), decodeCbor(event.payload));
  if (!parsed.success) {
    throw new StoreError("log_corrupt", `The payload of event ${seq} is not that of a ${type}.`);
  }
  return { type, seq, occurredAt, actor, payload: parsed.output } as RecordedEvent;
}

function finalizedFacts(event: StoredEvent, manifestDigest: ManifestDigest): FinalizedFacts {
  const manifest = summaryOf(event);
  const { expires_at } = manifest.retention_summary;
  return {
    package_id: packageIdOf(event.subject),
    namespace: manifest.package.namespace,
    name: manifest.package.name,
    manifest_digest: contentAddress(manifestDigest(event.payload)),
    manifest_size: event.payload.byteLength,
    retention_class: manifest.retention_summary.class,
    ...(expires_at === undefined ? {} : { expires_at }),
  };
}

/** What the manifest says of the package, without its files, of which there may be very many. */
function summaryOf(event: StoredEvent): ManifestSummary {
  try {
    return readManifestSummary(event.payload);
  } catch (cause) {
    throw new StoreError("log_corrupt", `The payload of event ${event.seq} is no manifest.`, {
      cause,
    });
  }
}
