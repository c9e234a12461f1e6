import { StoreError } from "@store/identity";

import { missing } from "./chain.ts";
import type { HeadWatch } from "./head-watch.ts";
import type { EventPage, StoredEvent } from "./stored-event.ts";
import { whileUnavailable } from "./retry.ts";

/** What a tail reads from. */
export interface TailSource {
  readonly watch: HeadWatch;
  /** Whether pages hold every event, so that a missing one can be told. */
  readonly whole: boolean;
  /** How many events are durable. */
  readSize(): Promise<number>;
  /** The first events above `after` and up to `upTo`, as many as one page holds. */
  readPage(after: number, upTo: number): Promise<EventPage>;
}

/** The iterations over a log that wait at its end for more; each begins after `since`. */
export function tailLog(
  source: TailSource,
  since: number,
  signal: AbortSignal | undefined,
): AsyncIterable<StoredEvent> {
  return { [Symbol.asyncIterator]: () => startTail(source, since, signal) };
}

function startTail(
  source: TailSource,
  since: number,
  signal: AbortSignal | undefined,
): AsyncIterator<StoredEvent, undefined> {
  const ending = new AbortController();
  const signals = signal === undefined ? [ending.signal] : [ending.signal, signal];
  const events = follow(source, since, AbortSignal.any(signals));
  return {
    next: () => events.next(),
    return: () => {
      // A generator that waits for an event would otherwise end only when one comes.
      ending.abort();
      return events.return(undefined);
    },
  };
}

async function* follow(
  source: TailSource,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent, undefined, undefined> {
  const release = source.watch.use();
  try {
    const size = await whileUnavailable(() => source.readSize(), signal);
    if (size !== undefined) assertReached(since, size);
    let cursor = since;
    for (;;) {
      const upTo = await source.watch.waitBeyond(cursor, signal);
      if (upTo === undefined) return undefined;
      while (cursor < upTo) {
        const page = await whileUnavailable(() => source.readPage(cursor, upTo), signal);
        if (page === undefined) return undefined;
        for (const event of page.events) {
          if (signal.aborted) return undefined;
          if (source.whole && event.seq !== cursor + 1) throw missing(cursor + 1);
          cursor = event.seq;
          yield event;
        }
        if (!page.complete) continue;
        if (source.whole && cursor < upTo) throw missing(cursor + 1);
        // Events that the filter left out are behind the cursor too.
        cursor = upTo;
      }
    }
  } finally {
    release();
  }
}

/** Waiting at a place that the log has not reached would skip what is appended until then. */
function assertReached(since: number, size: number): void {
  if (since <= size) return;
  throw new StoreError(
    "invalid_argument",
    `The log has ${size} events and cannot be tailed since ${since}. If it was restored from a ` +
      "backup, read it from the start.",
    { context: { actual: since, limit: size } },
  );
}
