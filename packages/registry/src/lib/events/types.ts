import * as v from "valibot";

/**
 * The payload of every event type that the registry writes, as decoded from its canonical CBOR;
 * `registry-events.cddl` states the same. The payload of `v1.package.finalized` is the manifest
 * itself; what projecting needs of it is in {@link FinalizedFacts}.
 */

const text = v.string();
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const payloadSchemas = {
  "v1.instance.created": v.strictObject({ format: v.literal(1) }),
  "v1.retention.class_defined": v.strictObject({
    name: text,
    /** Whole days from finalizing; absent means for ever. */
    duration_days: v.optional(count),
  }),
  "v1.schema.registered": v.strictObject({
    name: text,
    revision: count,
    /** The JSON Schema as its JCS. */
    schema: bytes,
  }),
  "v1.package.created": v.strictObject({
    package_id: text,
    namespace: text,
    name: text,
    version: text,
    variant: v.optional(text),
    /** The metadata object as its JCS. */
    metadata: v.optional(bytes),
    metadata_schema: v.optional(text),
    retention_class: text,
    source: v.optional(text),
    build: v.optional(text),
    open_until: text,
  }),
  "v1.file.added": v.strictObject({
    package_id: text,
    path: text,
    size: count,
    media_type: v.optional(text),
    executable: v.optional(v.literal(true)),
    digests: v.strictObject({ blake3: bytes, sha256: bytes }),
    /** The logical role of the backend that holds the object. */
    backend: text,
    /** The size of the file that this one replaces at the same path. */
    replaced_size: v.optional(count),
    open_until: text,
  }),
  "v1.file.removed": v.strictObject({
    package_id: text,
    path: text,
    size: count,
    open_until: text,
  }),
  "v1.package.abandoned": v.strictObject({
    package_id: text,
    reason: v.picklist(["abandoned", "lapsed"]),
  }),
  "v1.package.yanked": v.strictObject({ package_id: text, reason: v.optional(text) }),
  "v1.package.unyanked": v.strictObject({ package_id: text }),
  "v1.tag.set": v.strictObject({
    namespace: text,
    name: text,
    tag: text,
    package_id: text,
    /** The package that the tag targeted before. */
    previous: v.optional(text),
  }),
  "v1.tag.removed": v.strictObject({ namespace: text, name: text, tag: text, previous: text }),
  "v1.retention.set": v.strictObject({
    package_id: text,
    retention_class: text,
    expires_at: v.optional(text),
  }),
  "v1.hold.placed": v.strictObject({ hold_id: text, package_id: text, reason: text }),
  "v1.hold.released": v.strictObject({ hold_id: text, package_id: text }),
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

/** The schema that a payload of `type` satisfies. */
export function payloadSchema<Type extends PlainEventType>(type: Type): PayloadSchemas[Type] {
  return payloadSchemas[type];
}

/** Whether a text names an event type whose payload is plain CBOR. */
export function isPlainEventType(type: string): type is PlainEventType {
  return Object.hasOwn(payloadSchemas, type);
}

/** An event that a decision asks for: not yet in the log. */
export type NewEvent = {
  [Type in EventType]: {
    readonly type: Type;
    readonly subject: string;
    readonly payload: EventPayloads[Type];
    /** The bytes to record, where they are not the CBOR of `payload`. */
    readonly recorded?: Uint8Array;
  };
}[EventType];

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
