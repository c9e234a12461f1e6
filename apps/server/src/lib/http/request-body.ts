import type { IncomingMessage, ServerResponse } from "node:http";

import { StoreError } from "@store/identity";

const waiting = new WeakSet<IncomingMessage>();

/** Notes that the client sends its body only once it is told to (RFC 9110 §10.1.1). */
export function waitsForContinue(incoming: IncomingMessage): void {
  waiting.add(incoming);
}

/** Whether the request has a body, be it empty (RFC 9112 §6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers["transfer-encoding"] !== undefined) return true;
  const { "content-length": length } = headers;
  return length !== undefined && length !== "0";
}

/** Whether bytes of the body are still to come, so that the connection cannot serve another. */
export function isBodyUnread(incoming: IncomingMessage): boolean {
  return hasBody(incoming) && !incoming.complete;
}

/** Whether the client holds its body back, and was never told to send it. */
export function isBodyHeldBack(incoming: IncomingMessage): boolean {
  return waiting.has(incoming);
}

export interface BodyLimits {
  readonly bytes: number;
  /** How long the client may send nothing. */
  readonly idleMs: number;
  /** How long the body may take as a whole; for ever unless given. */
  readonly wholeMs?: number;
  /** Told of each chunk. */
  readonly onChunk?: (sizeBytes: number) => void;
}

/**
 * The bytes of a request's body, by the chunk that the socket gave. The client is told to send them
 * once they are first asked for. What is left when the reader stops stays unread: the connection
 * lives on, so that an answer can be given.
 *
 * @throws {StoreError} `limit_exceeded`, `request_timeout`, or `aborted` where the client is gone
 */
export async function* readBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  limits: BodyLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!hasBody(incoming)) return;
  assertDeclaredSize(incoming, limits.bytes);
  if (waiting.delete(incoming)) outgoing.writeContinue();
  const arrivals = watchArrivals(incoming, limits);
  let bytes = 0;
  try {
    for (;;) {
      const chunk: Uint8Array | null = incoming.read();
      if (chunk === null) {
        if (incoming.readableEnded) return;
        await arrivals.next();
        continue;
      }
      bytes += chunk.length;
      if (bytes > limits.bytes) throw tooLarge(limits.bytes);
      limits.onChunk?.(chunk.length);
      yield chunk;
    }
  } finally {
    arrivals.stop();
  }
}

/** Refuses a body that says itself that it is too large, before any of it is read. */
function assertDeclaredSize({ headers }: IncomingMessage, limit: number): void {
  if (Number(headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
}

function tooLarge(limit: number): StoreError {
  return new StoreError("limit_exceeded", `The body has more than ${limit} bytes; send less.`, {
    context: { limit },
  });
}

/** Waits for what a request's stream does next, and only so long. */
function watchArrivals(incoming: IncomingMessage, { idleMs, wholeMs }: BodyLimits) {
  let waiter: PromiseWithResolvers<void> | undefined;
  let failure: StoreError | undefined;
  const arrived = (): void => {
    waiter?.resolve();
    waiter = undefined;
  };
  const fail = (error: StoreError): void => {
    failure ??= error;
    waiter?.reject(failure);
    waiter = undefined;
  };
  const gone = (): void => {
    if (!incoming.readableEnded) {
      fail(new StoreError("aborted", "The client went away before its request was whole."));
    }
  };
  // It runs on while nobody waits, and then begins again: the reader may take its time.
  const idle = setTimeout(() => {
    if (waiter === undefined) idle.refresh();
    else fail(tooSlow(idleMs));
  }, idleMs);
  const whole =
    wholeMs === undefined ? undefined : setTimeout(() => fail(tooSlow(wholeMs)), wholeMs);
  incoming.on("readable", arrived).on("end", arrived).on("error", gone).on("close", gone);
  return {
    async next(): Promise<void> {
      if (failure !== undefined) throw failure;
      if (incoming.destroyed) return gone();
      waiter = Promise.withResolvers();
      idle.refresh();
      await waiter.promise;
    },
    stop(): void {
      clearTimeout(idle);
      clearTimeout(whole);
      incoming.off("readable", arrived).off("end", arrived).off("error", gone).off("close", gone);
    },
  };
}

function tooSlow(limit: number): StoreError {
  return new StoreError("request_timeout", `The body did not arrive within ${limit} ms.`, {
    context: { limit },
  });
}
