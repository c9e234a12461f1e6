import * as v from "valibot";

import { limits } from "../limits.ts";
import { copyEventSchemas } from "./copies.ts";
import {
  bytes,
  count,
  digest,
  id,
  name,
  revision,
  schemaReference,
  text,
  time,
  version,
} from "./fields.ts";

/**
 * The payload of every event type that the registry writes, as decoded from its canonical CBOR;
 * `registry-events.cddl` states the same. A payload never gains a field: one that says more is
 * another version of its type. The payload of `v1.package.finalized` is the manifest itself; what
 * projecting needs of it is in {@link FinalizedFacts}.
 */

const payloadSchemas = {
  "v1.instance.created": v.strictObject({ format: v.literal(1) }),
  "v1.retention.class_defined": v.strictObject({
    name,
    /** Whole days from finalizing; absent means for ever. */
    duration_days: v.optional(count),
  }),
  "v1.schema.registered": v.strictObject({
    name,
    revision,
    /** The JSON Schema as its JCS. */
    schema: bytes(2, limits.schemaBytes),
  }),
  "v1.package.created": v.strictObject({
    package_id: id,
    namespace: name,
    name,
    version,
    variant: v.optional(name),
    /** The metadata object as its JCS. */
    metadata: v.optional(bytes(2, limits.metadataBytes)),
    metadata_schema: v.optional(schemaReference),
    retention_class: name,
    source: v.optional(text(limits.provenanceBytes)),
    build: v.optional(text(limits.provenanceBytes)),
    open_until: time,
  }),
  "v1.file.added": v.strictObject({
    package_id: id,
    path: text(1_024),
    size: count,
    media_type: v.optional(text(255)),
    executable: v.optional(v.literal(true)),
    digests: v.strictObject({ blake3: digest, sha256: digest }),
    /** The logical role of the backend that holds the object. */
    backend: name,
    /** The size of the file that this one replaces at the same path. */
    replaced_size: v.optional(count),
    open_until: time,
  }),
  "v1.file.removed": v.strictObject({
    package_id: id,
    path: text(1_024),
    size: count,
    open_until: time,
  }),
  "v1.package.abandoned": v.strictObject({
    package_id: id,
    reason: v.picklist(["abandoned", "lapsed"]),
  }),
  "v1.package.yanked": v.strictObject({
    package_id: id,
    reason: v.optional(text(limits.reasonBytes)),
  }),
  "v1.package.unyanked": v.strictObject({ package_id: id }),
  "v1.tag.set": v.strictObject({
    namespace: name,
    name,
    tag: name,
    package_id: id,
    /** The package that the tag targeted before. */
    previous: v.optional(id),
  }),
  "v1.tag.removed": v.strictObject({ namespace: name, name, tag: name, previous: id }),
  "v1.retention.set": v.strictObject({
    package_id: id,
    retention_class: name,
    expires_at: v.optional(time),
  }),
  "v1.hold.placed": v.strictObject({
    hold_id: id,
    package_id: id,
    reason: text(limits.reasonBytes),
  }),
  "v1.hold.released": v.strictObject({ hold_id: id, package_id: id }),
  ...copyEventSchemas,
} as const;

type PayloadSchemas = typeof payloadSchemas;

/** What projecting needs to know of a manifest. */
export interface FinalizedFacts {
  readonly package_id: string;
  readonly namespace: string;
  readonly name: string;
  readonly manifest_digest: string;
  readonly manifest_size: number;
  readonly retention_class: string;
  readonly expires_at?: string;
}

/** Payloads by event type. */
export type EventPayloads = {
  [Type in keyof PayloadSchemas]: v.InferOutput<PayloadSchemas[Type]>;
} & { "v1.package.finalized": FinalizedFacts };

export type EventType = keyof EventPayloads;

/** The types whose payload is the CBOR of what projecting sees. */
export type PlainEventType = keyof PayloadSchemas;

/** Every type of event that the registry writes. */
export const eventTypes: readonly string[] = [
  ...Object.keys(payloadSchemas),
  "v1.package.finalized" satisfies EventType,
];

const ownNouns: ReadonlySet<string> = new Set(eventTypes.map(nounOf));

/** Whether a type, `v<version>.<noun>.<verb>`, is about what the registry keeps; others are not. */
export function isOwnEventType(type: string): boolean {
  return ownNouns.has(nounOf(type));
}

function nounOf(type: string): string {
  return type.split(".")[1] ?? "";
}

/** The schema that a payload of `type` satisfies. */
export function payloadSchema<Type extends PlainEventType>(type: Type): PayloadSchemas[Type] {
  return payloadSchemas[type];
}

/** Whether a text names an event type whose payload is plain CBOR. */
export function isPlainEventType(type: string): type is PlainEventType {
  return Object.hasOwn(payloadSchemas, type);
}

/** An event that a decision asks for: not yet in the log. */
export type NewEvent<Only extends EventType = EventType> = {
  [Type in Only]: {
    readonly type: Type;
    readonly subject: string;
    readonly payload: EventPayloads[Type];
    /** The bytes to record, where they are not the CBOR of `payload`. */
    readonly recorded?: Uint8Array;
  };
}[Only];

/** An event as projecting sees it: from a decision just recorded, or from the log. */
export type RecordedEvent<Only extends EventType = EventType> = {
  [Type in Only]: {
    readonly type: Type;
    readonly payload: EventPayloads[Type];
    readonly seq: number;
    readonly occurredAt: string;
    readonly actor: string;
  };
}[Only];
