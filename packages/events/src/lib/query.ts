import { StoreError } from "@store/identity";

import { actorFault, refuseFault, subjectFault, typeFault } from "./event-rules.ts";

/** Which events to read; everything given must hold. They come in the order of the log. */
export interface EventQuery {
  /** Only events with a greater `seq`; 0 unless given. */
  readonly after?: number;
  /** Only events with a smaller `seq`. */
  readonly before?: number;
  /** At most so many, 1 to 1,000; 100 unless given. Large payloads make it fewer. */
  readonly limit?: number;
  /** Only events of one of these types, 1 to 32. */
  readonly types?: readonly string[];
  /**
   * Only events about this subject and about what lies below it: `acme/app` takes `acme/app`,
   * `acme/app@1.0.0` and `acme/app:stable`, but not `acme/app2`.
   */
  readonly subject?: string;
  /** Only events by this actor. */
  readonly actor?: string;
}

/** What bounds a page. */
export const pageLimits = Object.freeze({
  /** Most events of a page. */
  events: 1_000,
  /** Bytes of payloads that a page may hold; a larger payload comes alone. */
  payloadBytes: 8 * 1024 * 1024,
  /** Most types of a query. */
  types: 32,
});

const defaultLimit = 100;

/** The part of the log that a query looks at. */
export interface SeqRange {
  readonly after: number;
  readonly before: number;
  readonly limit: number;
}

/** @throws {StoreError} `invalid_argument` where the query breaks a rule */
export function checkQuery(query: EventQuery): SeqRange {
  const { after = 0, before = Number.MAX_SAFE_INTEGER, limit = defaultLimit } = query;
  assertInteger("after", after, 0, Number.MAX_SAFE_INTEGER);
  assertInteger("before", before, 0, Number.MAX_SAFE_INTEGER);
  assertInteger("limit", limit, 1, pageLimits.events);
  const { types, subject, actor } = query;
  if (types !== undefined) {
    assertInteger("number of types", types.length, 1, pageLimits.types);
    for (const type of types) refuseFault("type", type, typeFault(type), "invalid_argument");
  }
  if (subject !== undefined) {
    refuseFault("subject", subject, subjectFault(subject), "invalid_argument");
  }
  if (actor !== undefined) refuseFault("actor", actor, actorFault(actor), "invalid_argument");
  return { after, before, limit };
}

/** @throws {StoreError} `invalid_argument` unless `value` is an integer within the bounds */
export function assertInteger(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new StoreError(
    "invalid_argument",
    `The ${what} of a query must be an integer from ${least} to ${most}, not ${String(value)}.`,
    { context: { actual: String(value), limit: most } },
  );
}
