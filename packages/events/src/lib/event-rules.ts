import { StoreError } from "@store/identity";

/** How large the parts of an event may be. */
export const eventLimits = Object.freeze({
  /** Bytes of an encoded header. */
  headerBytes: 4_096,
  /** Bytes of a type. */
  typeBytes: 128,
  /** UTF-8 bytes of an actor. */
  actorBytes: 256,
  /** UTF-8 bytes of a subject. */
  subjectBytes: 1_024,
  /** Bytes of a payload. One statement carries it as hexadecimal text, which bounds it. */
  payloadBytes: 128 * 1024 * 1024,
});

const typePattern = /^v[1-9][0-9]{0,3}\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/;
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
// What would move a terminal's cursor or end a line of a listing.
const controlPattern = /\p{Cc}/u;

/** What stands in a field, when it does not have to be believed yet. */
type Fault = string | undefined;

/** Why `type` is no event type, `v<version>.<noun>.<verb>` such as `v1.package.finalized`. */
export function typeFault(type: unknown): Fault {
  if (typeof type !== "string") return "it is not text";
  if (type.length > eventLimits.typeBytes) return `it has more than ${eventLimits.typeBytes} bytes`;
  return typePattern.test(type) ? undefined : 'it does not read like "v1.package.finalized"';
}

/** Why `id` is no UUIDv7 (RFC 9562 section 5.7) in lowercase. */
export function idFault(id: unknown): Fault {
  if (typeof id !== "string") return "it is not text";
  return idPattern.test(id) ? undefined : "it is no UUIDv7 in lowercase";
}

/** Why `time` is no instant of RFC 3339 in UTC with milliseconds. */
export function timeFault(time: unknown): Fault {
  if (typeof time !== "string") return "it is not text";
  const valid = timePattern.test(time) && !Number.isNaN(Date.parse(time));
  // A day that its month does not have is carried over by the parser, not refused.
  return valid && new Date(time).toISOString() === time
    ? undefined
    : 'it is no UTC time like "2026-01-31T09:30:00.000Z"';
}

/** Why `actor` is no opaque id of 1 to 256 bytes without control characters. */
export function actorFault(actor: unknown): Fault {
  return textFault(actor, eventLimits.actorBytes);
}

/** Why `subject` is no text of 1 to 1,024 bytes without control characters. */
export function subjectFault(subject: unknown): Fault {
  return textFault(subject, eventLimits.subjectBytes);
}

function textFault(text: unknown, limitBytes: number): Fault {
  if (typeof text !== "string") return "it is not text";
  if (text === "") return "it is empty";
  // UTF-8 takes at most three bytes for a UTF-16 unit, so short texts need no count.
  const long = text.length * 3 > limitBytes && Buffer.byteLength(text) > limitBytes;
  if (long) return `it has more than ${limitBytes} bytes`;
  if (controlPattern.test(text)) return "it holds a control character";
  return text.isWellFormed() ? undefined : "it holds a lone surrogate";
}

/**
 * Refuses `value` in `field` where there is a fault.
 *
 * @throws {StoreError} `invalid_event`, or the code given
 */
export function refuseFault(
  field: string,
  value: unknown,
  fault: Fault,
  code: "invalid_event" | "invalid_argument" = "invalid_event",
): void {
  if (fault === undefined) return;
  const actual = typeof value === "string" ? value.slice(0, 80) : typeof value;
  const message = `The event ${field} ${JSON.stringify(actual)} is refused: ${fault}.`;
  throw new StoreError(code, message, { context: { actual } });
}
