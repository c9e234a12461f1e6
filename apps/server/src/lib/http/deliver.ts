import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";

import type { BytesReply } from "./handler.ts";
import { isBodyHeldBack, isBodyUnread } from "./request-body.ts";
import { isStream, sendBytes, type SentBytes } from "./send-bytes.ts";

const lingerMs = 1000;
const lingerBytes = 256 * 1024;

/**
 * Writes an answer to the connection. Where the request's body was not read, what follows on the
 * connection is no request: it ends with the answer, and is kept just long enough for a client that
 * still sends to read why.
 *
 * @throws what the reply's bytes throw before the first of them is sent
 */
export async function deliver(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  reply: BytesReply,
  idleMs: number,
): Promise<SentBytes> {
  const { status, headers, bytes = "" } = reply;
  // A small body has often arrived with its head, and is only not looked at yet.
  if (isBodyUnread(incoming) && !isBodyHeldBack(incoming)) await setImmediate();
  if (!isBodyUnread(incoming)) {
    outgoing.socket?.setTimeout(idleMs);
    return await sendBytes(outgoing, reply);
  }
  if (isStream(bytes)) {
    return await sendBytes(outgoing, { ...reply, headers: { ...headers, connection: "close" } });
  }
  const sizeBytes = Buffer.byteLength(bytes);
  const length = status === 204 || status === 304 ? {} : { "content-length": sizeBytes };
  outgoing.writeHead(status, { ...headers, ...length, connection: "close" });
  outgoing.flushHeaders();
  if (sizeBytes > 0) outgoing.write(bytes);
  if (!isBodyHeldBack(incoming)) await linger(incoming, outgoing);
  outgoing.end();
  return { sizeBytes, outcome: "whole" };
}

/**
 * Waits until the client has read the answer and left, or for a moment. Closing at once would reset
 * the connection, and a reset takes the answer with it (RFC 9112 §9.6).
 */
async function linger(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (incoming.destroyed || outgoing.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, lingerMs);
  let drained = 0;
  const onData = (chunk: Uint8Array): void => {
    drained += chunk.length;
    if (drained > lingerBytes) incoming.pause();
  };
  incoming.on("data", onData).once("end", resolve).once("close", resolve).once("error", resolve);
  outgoing.once("close", resolve);
  await promise;
  clearTimeout(timer);
  incoming.off("data", onData).off("end", resolve).off("close", resolve).off("error", resolve);
}
