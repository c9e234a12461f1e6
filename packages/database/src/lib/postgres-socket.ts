/** The sockets of the PostgreSQL driver. */
import { connect, type Socket } from "node:net";

/** What the driver hands to its socket factory. */
interface SocketOptions {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** Of a Unix socket, if it is one. */
  readonly path?: string | false;
}

/** Attempts in a row that were hung up on before the driver is told that there is no server. */
const hangUpLimit = 5;
const firstPauseMs = 20;

/**
 * Makes sockets for one client. The driver connects again at once, and for ever, where something
 * accepts connections and hangs up, such as a balancer without a server behind it; here each
 * attempt waits longer than the last, and the fifth is reported as an error.
 */
export function socketFactory(): (options: SocketOptions) => Promise<Socket> {
  let hangUps = 0;
  return async ({ host: [host = "localhost"], port: [port = 5432], path }) => {
    if (hangUps > 0) await pause(firstPauseMs * 2 ** hangUps);
    const socket = typeof path === "string" ? connect(path) : connect(port, host);
    // The driver reads these for the name that TLS is to verify.
    Object.assign(socket, { host, port });
    if (hangUps >= hangUpLimit) {
      hangUps = 0;
      setImmediate(() => socket.destroy(noAnswer()));
      return socket;
    }
    let answered = false;
    socket.once("data", () => {
      answered = true;
      hangUps = 0;
    });
    socket.once("close", (failed) => {
      // A socket that failed is reported by the driver itself.
      if (!answered && !failed) hangUps += 1;
    });
    return socket;
  };
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

function noAnswer(): Error {
  const message = "the server accepts connections and hangs up";
  return Object.assign(new Error(message), { code: "CONNECTION_CLOSED" });
}
