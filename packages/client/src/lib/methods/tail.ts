import { eventSchema, problemSchema, type EventJson } from "@store/api";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import * as v from "valibot";

import type { Caller } from "../http/caller.ts";
import { errorOf, thrownFailure, wrongAnswer, type Failure } from "../http/failures.ts";
import type { Attempts } from "../http/retries.ts";
import { withIdleLimit } from "../http/streams.ts";

export interface TailOptions {
  /** The `seq` of the last event already seen; 0 for all. */
  readonly since: number;
  /** Ends the tail. */
  readonly signal?: AbortSignal;
  /** Only events of one of these types, 1 to 32. */
  readonly types?: readonly string[];
}

const what = "following the events";
/** An event has a mebibyte or a manifest; above this it is none. */
const messageLimitCharacters = 256 * 1024 * 1024;

/**
 * Follows the log over `text/event-stream` (HTML Living Standard §9.2). It ends, well, once the
 * signal fires, and throws what the server refuses. Once it was connected, it goes on trying for as
 * long as it takes.
 */
export async function* tailEvents(
  caller: Caller,
  { since, signal, types }: TailOptions,
  heartbeatMs: number,
): AsyncGenerator<EventJson> {
  const isOver = () => signal?.aborted === true;
  const attempts = caller.retries.beginEndless(what, signal);
  const follow = { types, signal, heartbeatMs };
  let last = since;
  let wasConnected = false;
  while (!isOver()) {
    try {
      for await (const sign of connection(caller, last, follow)) {
        if (sign === "connected") {
          wasConnected = true;
          continue;
        }
        attempts.progressed();
        // What came already, a server may send again.
        if (sign === "alive" || sign.seq <= last) continue;
        last = sign.seq;
        yield sign;
        if (isOver()) return;
      }
      // It ended without a word: that is how a proxy does it, and a server that goes down.
      throw new Error("the stream of events ended");
    } catch (error) {
      if (isOver()) return;
      // A call has tried often enough by itself.
      if (!wasConnected) throw error;
      await paused(attempts, thrownFailure(error, what, signal), isOver);
    }
  }
}

async function paused(attempts: Attempts, failure: Failure, isOver: () => boolean): Promise<void> {
  try {
    await attempts.pause(failure);
  } catch (error) {
    if (!isOver()) throw error;
  }
}

interface Follow {
  readonly types: readonly string[] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly heartbeatMs: number;
}

/** The events of one connection, and its signs of life. Throws what ends it early. */
async function* connection(
  caller: Caller,
  since: number,
  { types, signal, heartbeatMs }: Follow,
): AsyncGenerator<EventJson | "alive" | "connected"> {
  const { bytes } = await caller.call("listEvents", {
    query: { since: String(since), type: types?.join(",") },
    headers: {
      accept: "text/event-stream",
      "last-event-id": since === 0 ? undefined : String(since),
    },
    signal,
  });
  yield "connected";
  const messages: EventSourceMessage[] = [];
  let failure: Error | undefined;
  const parser = createParser({
    onEvent: (message) => messages.push(message),
    onError: (error) => {
      // Other faults are fields that are to be passed over.
      if (error.type === "max-buffer-size-exceeded") failure = error;
    },
    maxBufferSize: messageLimitCharacters,
  });
  const decoder = new TextDecoder();
  const late = () => new Error(`nothing came for ${heartbeatMs} ms`);
  let chunks = 0;
  for await (const chunk of withIdleLimit(bytes, heartbeatMs, late)) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    for (const message of messages.splice(0)) {
      // The subscriber was too slow; it may come back.
      if (message.event === "dropped") return;
      yield eventOf(message);
    }
    if (failure !== undefined) throw wrongAnswer(what, failure.message, failure);
    // The first is sent by a server that ends at once, too.
    chunks += 1;
    if (chunks > 1) yield "alive";
  }
}

function eventOf({ event, data }: EventSourceMessage): EventJson {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch (error) {
    throw wrongAnswer(what, "an event is not JSON", error);
  }
  const parsed = v.safeParse(eventSchema, json);
  if (parsed.success) return parsed.output;
  const problem = v.safeParse(v.pick(problemSchema, ["code", "detail", "context"]), json);
  if (event === "error" && problem.success) throw errorOf(problem.output);
  throw wrongAnswer(what, `an event is none: ${parsed.issues[0].message}`);
}
