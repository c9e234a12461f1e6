/** A way to PostgreSQL that can be cut where it hurts. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterTest } from "./dialects.ts";

/** When the client loses its connection. */
export type Cut = "before the server has it" | "before the client has the answer";

export interface ConnectionProxy {
  readonly url: string;
  /** Cuts at the next message that holds `text`; later connections work. */
  cutAt(text: string, cut: Cut): void;
  /** Keeps the next message that holds `text`, and what follows it, until it is resumed. */
  pauseAt(text: string): { readonly reached: Promise<void>; resume(): void };
}

/** Listens on a free port and forwards to the server of `url`. */
export async function proxyTo(url: string): Promise<ConnectionProxy> {
  const target = new URL(url);
  const upstreamPort = Number(target.port);
  let pause: { text: string; reached: () => void; resumed: Promise<void> } | undefined;
  let next: { text: string; cut: Cut } | undefined;
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
      if (next !== undefined && bytes.includes(next.text)) {
        deaf = next.cut === "before the client has the answer";
        next = undefined;
        if (!deaf) {
          client.destroy();
          return;
        }
      }
      if (pause !== undefined && bytes.includes(pause.text)) {
        const { reached, resumed } = pause;
        pause = undefined;
        client.pause();
        reached();
        void resumed.then(() => {
          upstream.write(bytes);
          client.resume();
        });
        return;
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
    pauseAt: (text) => {
      const reached = Promise.withResolvers<void>();
      const resumed = Promise.withResolvers<void>();
      pause = { text, reached: reached.resolve, resumed: resumed.promise };
      return { reached: reached.promise, resume: resumed.resolve };
    },
    cutAt: (text, cut) => {
      next = { text, cut };
    },
  };
}
