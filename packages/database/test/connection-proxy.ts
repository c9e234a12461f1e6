/** A way to PostgreSQL that can be cut where it hurts. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterTest } from "./dialects.ts";

/** What the proxy does with the next COMMIT: the client loses its connection in either case. */
export type Cut = "before the server has it" | "before the client has the answer";

export interface ConnectionProxy {
  readonly url: string;
  /** Cuts at the next COMMIT; later connections work. */
  cutAtCommit(cut: Cut): void;
}

/** Listens on a free port and forwards to the server of `url`. */
export async function proxyTo(url: string): Promise<ConnectionProxy> {
  const target = new URL(url);
  const upstreamPort = Number(target.port);
  let cut: Cut | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(upstreamPort, target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    let deaf = false;
    upstream.on("data", (bytes) => {
      if (deaf) client.destroy();
      else client.write(bytes);
    });
    client.on("data", (bytes) => {
      if (cut !== undefined && bytes.includes("COMMIT\0")) {
        if (cut === "before the server has it") client.destroy();
        else deaf = true;
        cut = undefined;
        if (!deaf) return;
      }
      upstream.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  afterTest(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  target.port = String((server.address() as AddressInfo).port);
  return {
    url: target.href,
    cutAtCommit: (where) => {
      cut = where;
    },
  };
}
