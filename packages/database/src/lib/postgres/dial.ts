/** The socket of one connection to PostgreSQL. */
import { connect, type Socket } from "node:net";
import { secure, type TlsOptions } from "./tls.ts";
import { socketEvent } from "./socket-event.ts";

/** What the driver hands to its socket factory. */
export interface SocketAddress {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** Of a Unix socket, if it is one. */
  readonly path?: string | false;
}

/** How long a connection may be idle before the system asks whether the other end is there. */
const keepAliveMs = 15_000;

/**
 * Connects once, with TLS where it is asked for; `signal` ends the attempt. The driver would dial
 * again and again by itself where something accepts connections and hangs up.
 */
export async function dial(
  address: SocketAddress,
  tls: TlsOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const {
    host: [host = "localhost"],
    port: [port = 5432],
    path,
  } = address;
  const isLocal = typeof path === "string";
  const socket = isLocal ? connect(path) : connect(port, host);
  const hangUp = (): void => void socket.destroy();
  signal.addEventListener("abort", hangUp, { once: true });
  try {
    await socketEvent(socket, "connect");
    // Statements travel one behind another in small messages, which must not wait for each other.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    return isLocal ? socket : await secure(socket, host, tls);
  } catch (error) {
    socket.on("error", () => undefined);
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", hangUp);
  }
}
