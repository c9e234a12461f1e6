import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterTest } from "./dialects.ts";

/**
 * Listens on a free port for clients of the server of `url`, and gives the URL that leads there.
 * `accept` gets each client, and what connects to the server for it.
 */
export async function listenInFront(
  url: string,
  accept: (client: Socket, dial: () => Socket) => void,
): Promise<string> {
  const target = new URL(url);
  const upstreamPort = Number(target.port);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => undefined);
  };
  const server = createServer((client) => {
    accept(keep(client), () => keep(connect(upstreamPort, target.hostname)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  afterTest(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  target.port = String((server.address() as AddressInfo).port);
  return target.href;
}
