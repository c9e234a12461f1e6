import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection on which a test writes what it likes. */
export interface Connection extends Disposable {
  readonly socket: Socket;
  /** Whatever has come so far, as latin1 text. */
  readonly received: string;
  send(text: string): void;
  /** Resolves once what came matches. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that came, once the server has closed the connection. */
  closed(): Promise<string>;
}

export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ port, host: "127.0.0.1" });
  let received = "";
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received += text;
  });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  // Not by `once` of Node.js, which rejects at an error: one that writes may meet the end first.
  const happens = (event: "data" | "close"): Promise<void> =>
    new Promise((resolve) => void socket.once(event, () => resolve()));
  return {
    socket,
    get received() {
      return received;
    },
    send: (text) => void socket.write(text, "latin1"),
    until: async (pattern) => {
      while (!pattern.test(received)) {
        if (socket.destroyed) throw new Error(`The connection ended after: ${received}`);
        await Promise.race([happens("data"), happens("close")]);
      }
      return received;
    },
    closed: async () => {
      if (!socket.destroyed) await happens("close");
      return received;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Sends a text, and gives all that comes until the server closes the connection. */
export async function exchangeText(port: number, text: string): Promise<string> {
  using connection = await openConnection(port);
  connection.send(text);
  return await connection.closed();
}
