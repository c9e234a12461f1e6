/** Waiting for one event of a socket. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { StoreError } from "@store/identity";

/** Resolves to the event's first value; rejects where the socket fails or closes before. */
export async function socketEvent(socket: Socket, event: string): Promise<unknown> {
  const closed = new AbortController();
  const onClose = (): void => closed.abort();
  socket.once("close", onClose);
  try {
    const [value]: unknown[] = await once(socket, event, { signal: closed.signal });
    return value;
  } catch (error) {
    if (!closed.signal.aborted) throw error;
    throw new StoreError("database_unavailable", "PostgreSQL hung up while it was connected to.");
  } finally {
    socket.off("close", onClose);
  }
}
