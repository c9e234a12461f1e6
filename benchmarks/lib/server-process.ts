import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A server in a process of its own, so that it and what calls it share no thread. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** A token that may do everything; empty where the server asks for none. */
  readonly token: string;
}

/** Starts one of `servers/` and waits until it listens. */
export async function startServerProcess(
  name: "store-server" | "plain-server" | "hono-server",
  ...args: readonly string[]
): Promise<ServerProcess> {
  const child = fork(join(import.meta.dirname, "../servers", `${name}.ts`), args);
  const [message] = (await once(child, "message")) as [{ url: string; token?: string }];
  return {
    url: message.url,
    token: message.token ?? "",
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}
