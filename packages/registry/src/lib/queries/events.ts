import type { EventLog, EventQuery, StoredEvent, TailOptions } from "@store/events";

import { nameOfSubject } from "../events/subjects.ts";
import type { Scope } from "../scope.ts";
import type { EventPage } from "../types.ts";

/**
 * The events that a query selects and a scope lets its caller read. How far a call looks depends
 * on nothing that the caller may not read: an index is followed only where all that it leads to
 * is covered.
 */
export async function readEvents(
  log: EventLog,
  query: EventQuery,
  scope: Scope,
): Promise<EventPage> {
  const { acceptsEvent } = scope;
  const named = query.subject === undefined ? undefined : nameOfSubject(query.subject);
  const followsIndex = acceptsEvent === undefined || (named !== undefined && scope.covers(named));
  const { events, scannedTo, head } = await (followsIndex
    ? log.scan(query)
    : log.scan(query, acceptsEvent));
  const items = acceptsEvent === undefined ? events : events.filter(acceptsEvent);
  return { items, scannedTo, head };
}

/** The events after a place that a scope covers, and then each as it becomes durable. */
export function tailEvents(
  log: EventLog,
  options: TailOptions,
  { acceptsEvent }: Scope,
): AsyncIterable<StoredEvent> {
  const tail = log.tail(options);
  if (acceptsEvent === undefined) return tail;
  return {
    [Symbol.asyncIterator]: () => {
      const events = tail[Symbol.asyncIterator]();
      return {
        // No generator: one that waits for an event could not be ended before one comes.
        next: async () => {
          for (;;) {
            const next = await events.next();
            if (next.done === true || acceptsEvent(next.value)) return next;
          }
        },
        return: async () => (await events.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}
