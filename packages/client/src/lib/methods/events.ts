import type { EventJson } from "@store/api";

import type { Caller } from "../http/caller.ts";
import { wrongAnswer } from "../http/failures.ts";
import { readAll } from "../http/streams.ts";
import { eventSequence } from "./cbor-sequence.ts";
import { decodeStoredEvent, type StoredEvent } from "./stored-event.ts";
import { tailEvents, type TailOptions } from "./tail.ts";

/** Which events to read; everything given must hold. */
export interface EventQuery {
  /** Only events with a greater `seq`; 0 unless given. */
  readonly after?: number;
  /** At most so many, 1 to 1,000; 100 unless given. */
  readonly limit?: number;
  /** Only events of one of these types, 1 to 32. */
  readonly types?: readonly string[];
  /** Only events about this subject and about what lies below it, e.g. `acme/app`. */
  readonly subject?: string;
}

/** Events that were found, and how far the log was looked through for them. */
export interface EventPage<T> {
  /** In the order of the log. */
  readonly items: readonly T[];
  /** Ask for those `after` it to go on; it may lie above the last item. */
  readonly scannedTo: number;
  /** How many events the log has; `scannedTo` reaches it at the end. */
  readonly head: number;
}

/** The log, as far as the caller may read it. */
export interface EventMethods {
  readEvents(query?: EventQuery): Promise<EventPage<EventJson>>;
  /** The same with headers and payloads as the log keeps them, byte for byte. */
  readStoredEvents(query?: EventQuery): Promise<EventPage<StoredEvent>>;
  /**
   * The events after `since`, and then each as it happens, until the signal fires. A connection
   * that breaks or falls silent is replaced, after the last event that came.
   */
  tailEvents(options: TailOptions): AsyncIterable<EventJson>;
}

/** Most that a page of stored events may have. */
const sequenceLimitBytes = 64 * 1024 * 1024;

export function eventMethods(caller: Caller, heartbeatMs: number): EventMethods {
  const { call } = caller;
  return {
    async readEvents(query = {}) {
      const { json } = await call("listEvents", { query: eventQuery(query) });
      if (json === undefined) throw wrongAnswer("reading events", "it is not JSON");
      return { items: json.items, scannedTo: json.scanned_to, head: json.head };
    },
    async readStoredEvents(query = {}) {
      const { headers, bytes } = await call("listEvents", {
        query: eventQuery(query),
        headers: { accept: "application/cbor-seq" },
      });
      const sequence = await readAll(bytes, sequenceLimitBytes);
      const items: StoredEvent[] = [];
      for (const item of eventSequence(sequence)) items.push(await decodeStoredEvent(item));
      const last = items.at(-1)?.seq ?? query.after ?? 0;
      const scannedTo = numberOf(headers.get("store-scanned-to")) ?? last;
      return { items, scannedTo, head: numberOf(headers.get("store-log-head")) ?? scannedTo };
    },
    tailEvents: (options) => tailEvents(caller, options, heartbeatMs),
  };
}

function eventQuery({ after, limit, types, subject }: EventQuery) {
  return {
    since: after === undefined ? undefined : String(after),
    limit: limit === undefined ? undefined : String(limit),
    type: types?.join(","),
    subject,
  };
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
