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
  isOwnEventType,
  isPlainEventType,
  payloadSchema,
  type FinalizedFacts,
  type NewEvent,
  type RecordedEvent,
} from "./types.ts";
import { packageIdOf } from "./subjects.ts";

/**
 * The payload bytes that an event is recorded with. A payload that replaying would refuse is
 * refused here, as a defect, before it stands in the log for ever.
 */
export function recordedBytes(event: NewEvent): Uint8Array {
  if (event.recorded !== undefined) return event.recorded;
  if (event.type === "v1.package.finalized" || !v.is(payloadSchema(event.type), event.payload)) {
    throw new StoreError("internal", `A command made a ${event.type} with a wrong payload.`);
  }
  const payload: { [key: string]: CborValue } = {};
  for (const [key, value] of Object.entries(event.payload)) {
    if (value !== undefined) payload[key] = value;
  }
  return encodeCbor(payload);
}

/** Gives the digest of a manifest's bytes. */
export type ManifestDigest = (bytes: Uint8Array) => Digest;

/**
 * An event of the log as projecting sees it, or undefined for one of others who record in the same
 * log: about their nouns the registry's views say nothing.
 *
 * @throws {StoreError} `schema_too_new` for a type that this code does not know, of a noun that it
 *   does: views rebuilt without it would be wrong; `log_corrupt` for a payload that its type does not allow
 */
export function recordedEvent(
  event: StoredEvent,
  manifestDigest: ManifestDigest,
): RecordedEvent | undefined {
  const { seq, occurredAt, actor, type } = event;
  if (type === "v1.package.finalized") {
    return { type, seq, occurredAt, actor, payload: finalizedFacts(event, manifestDigest) };
  }
  if (!isOwnEventType(type)) return undefined;
  if (!isPlainEventType(type)) throw unknownType(event);
  const parsed = v.safeParse(payloadSchema(type), decoded(event));
  if (!parsed.success) throw corruptPayload(event, `that of a ${type}`);
  return { type, seq, occurredAt, actor, payload: parsed.output } as RecordedEvent;
}

function decoded(event: StoredEvent): CborValue {
  try {
    return decodeCbor(event.payload);
  } catch (cause) {
    throw corruptPayload(event, "canonical CBOR", cause);
  }
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
    throw corruptPayload(event, "a manifest", cause);
  }
}

function unknownType({ seq, type }: StoredEvent): StoreError {
  return new StoreError(
    "schema_too_new",
    `Event ${seq} is a ${type}, which this version of Store does not know. Use the version that ` +
      "wrote it, or a later one.",
    { context: { actual: type } },
  );
}

function corruptPayload(event: StoredEvent, wanted: string, cause?: unknown): StoreError {
  return new StoreError("log_corrupt", `The payload of event ${event.seq} is not ${wanted}.`, {
    cause,
  });
}
