import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Stands between a client and a server, and cuts connections. */
export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
  /** How often it has cut. */
  readonly cuts: number;
  /** Cuts once so many bytes went by, in either direction; each number for one cut. */
  cutAfter(...sizesBytes: readonly number[]): void;
}

export async function startCuttingProxy(serverUrl: string): Promise<CuttingProxy> {
  const port = Number(new URL(serverUrl).port);
  const sockets = new Set<Socket>();
  let left: number[] = [];
  let [passed, cuts] = [0, 0];

  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("data", (bytes: Buffer) => {
      passed += bytes.byteLength;
      const [limit = Infinity] = left;
      if (passed >= limit) {
        [passed, cuts] = [0, cuts + 1];
        left.shift();
        from.destroy();
        to.destroy();
        return;
      }
      if (!to.write(bytes)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
    from.on("end", () => to.end());
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };

  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    pass(client, upstream);
    pass(upstream, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    get cuts() {
      return cuts;
    },
    cutAfter: (...sizesBytes) => {
      [left, passed] = [[...sizesBytes], 0];
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
