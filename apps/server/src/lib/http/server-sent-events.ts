import { encodeEvent } from "@store/api";
import type { StoredEvent } from "@store/events";
import { StoreError } from "@store/identity";

import { inTime, nextOf } from "./next-in-time.ts";

export interface EventStreamOptions {
  /** How often a comment is sent where nothing happens, so that a dead connection is noticed. */
  readonly heartbeatMs: number;
  /** How long the subscriber may take to accept an event before it is dropped. */
  readonly slowMs: number;
  /** Asked before anything is sent: why the subscriber gets no more, or undefined. */
  readonly refused: () => Promise<StoreError | undefined>;
}

const heartbeat = encode(": nothing happened\n\n");

/**
 * Writes events as `text/event-stream` (HTML Living Standard §9.2), each with its `seq` as its id.
 * One event is held at a time: the log is read again only once the subscriber has taken what it
 * was given. One that takes too long, or may no longer have what it asked for, is told so and
 * dropped; it resumes where it was.
 */
export async function* serverSentEvents(
  events: AsyncIterable<StoredEvent>,
  { heartbeatMs, slowMs, refused }: EventStreamOptions,
): AsyncGenerator<Uint8Array> {
  const iterator = events[Symbol.asyncIterator]();
  let next = nextOf(iterator);
  try {
    // Said at once, so that the subscriber knows that it is connected.
    yield heartbeat;
    for (;;) {
      const result = await inTime(next, heartbeatMs);
      if (result !== undefined && result.done === true) return;
      const refusal = await refused();
      if (refusal !== undefined) {
        yield dropped(refusal);
        return;
      }
      const begun = performance.now();
      yield result === undefined ? heartbeat : frame(result.value);
      if (performance.now() - begun > slowMs) {
        yield dropped(tooSlow(slowMs));
        return;
      }
      if (result === undefined) continue;
      next = nextOf(iterator);
    }
  } finally {
    await iterator.return?.();
  }
}

function frame(event: StoredEvent): Uint8Array {
  return encode(
    `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(encodeEvent(event))}\n\n`,
  );
}

function dropped({ code, message }: StoreError): Uint8Array {
  return encode(`event: dropped\ndata: ${JSON.stringify({ code, detail: message })}\n\n`);
}

function tooSlow(slowMs: number): StoreError {
  return new StoreError(
    "rate_limited",
    `The subscriber took longer than ${slowMs} ms for an event; it may resume.`,
  );
}

function encode(text: string): Uint8Array {
  return Buffer.from(text);
}
