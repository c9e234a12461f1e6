import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands between a client and PostgreSQL, and cuts a connection at a chosen moment. */
export interface LossyProxy {
  /** The server's URL, through the proxy. */
  readonly url: string;
  /**
   * Cuts the next connection that commits: before the server hears of it (`request`), or once it
   * has committed, before the client does (`answer`).
   */
  loseNextCommit(at: "request" | "answer"): void;
  close(): Promise<void>;
}

/** `COMMIT` as a statement on its own, and as the server's tag: text that ends with a zero. */
const commit = Buffer.from("COMMIT\0");

/** Starts a proxy on a free port of this machine. */
export async function startLossyProxy(serverUrl: string): Promise<LossyProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let losing: "request" | "answer" | undefined;

  const forward = (from: Socket, to: Socket, direction: "request" | "answer"): void => {
    sockets.add(from);
    from.on("data", (bytes) => {
      if (losing === direction && bytes.includes(commit)) {
        losing = undefined;
        from.destroy();
        to.destroy();
        return;
      }
      to.write(bytes);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    forward(client, upstream, "request");
    forward(upstream, client, "answer");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  const url = new URL(serverUrl);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    loseNextCommit: (at) => {
      losing = at;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
