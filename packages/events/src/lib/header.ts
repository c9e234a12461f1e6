import { StoreError } from "@store/identity";
import { decodeCbor } from "@store/manifest";
import * as v from "valibot";

import {
  actorFault,
  eventLimits,
  idFault,
  subjectFault,
  timeFault,
  typeFault,
} from "./event-rules.ts";

/**
 * What the log states about an event, apart from its payload. Its canonical CBOR (`event.cddl`)
 * is the leaf of the log's tree.
 */
export interface EventHeader {
  /** UUIDv7 of the log; a header cannot be moved to another log. */
  readonly logId: string;
  /** 1 for the first event of the log, without a gap. */
  readonly seq: number;
  /** UUIDv7 of the event. */
  readonly id: string;
  /** `v<version>.<noun>.<verb>` */
  readonly type: string;
  /** RFC 3339, UTC, milliseconds; never below that of the event before. */
  readonly occurredAt: string;
  /** An opaque id of 1 to 256 bytes. */
  readonly actor: string;
  /** What it is about: 1 to 1,024 bytes. */
  readonly subject: string;
  /** 32 bytes. */
  readonly payloadSha256: Uint8Array;
  /** Bytes of the payload. */
  readonly payloadSize: number;
}

const faultless = (faultOf: (value: unknown) => string | undefined) =>
  v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const fault = faultOf(dataset.value);
      if (fault !== undefined) addIssue({ message: fault });
    }),
  );

const headerSchema = v.strictObject({
  log_id: faultless(idFault),
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  id: faultless(idFault),
  type: faultless(typeFault),
  occurred_at: faultless(timeFault),
  actor: faultless(actorFault),
  subject: faultless(subjectFault),
  payload_sha256: v.pipe(
    v.instance(Uint8Array),
    v.check((bytes) => bytes.byteLength === 32, "it does not have 32 bytes"),
  ),
  payload_size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/**
 * Reads a header; only the bytes that `encodeHeader` writes for the result are accepted.
 *
 * @throws {StoreError} `invalid_cbor` where the bytes are not canonical, `limit_exceeded` above
 *   4 KiB, `invalid_event` where a field is missing, unknown or breaks its rule
 */
export function decodeHeader(bytes: Uint8Array): EventHeader {
  const value = decodeCbor(bytes, { maxBytes: eventLimits.headerBytes, maxDepth: 1 });
  const parsed = v.safeParse(headerSchema, value, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const field = v.getDotPath(issue);
    throw new StoreError(
      "invalid_event",
      `The event header ${field === null ? "" : `field "${field}" `}is refused: ${issue.message}.`,
      { context: { path: field ?? "" } },
    );
  }
  const fields = parsed.output;
  return {
    logId: fields.log_id,
    seq: fields.seq,
    id: fields.id,
    type: fields.type,
    occurredAt: fields.occurred_at,
    actor: fields.actor,
    subject: fields.subject,
    payloadSha256: fields.payload_sha256,
    payloadSize: fields.payload_size,
  };
}
