/** A way to PostgreSQL that can be cut where it hurts. */
import { listenInFront } from "./listen-in-front.ts";

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
  let pause: { text: string; reached: () => void; resumed: Promise<void> } | undefined;
  let next: { text: string; cut: Cut } | undefined;
  const address = await listenInFront(url, (client, dial) => {
    const upstream = dial();
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
  return {
    url: address,
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
