import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

import { Sandbox, type StoreProcess } from "./store.ts";

/** A server on a free port, which says where it listens. */
export interface ServerProcess extends StoreProcess {
  readonly url: string;
  readonly line: string;
}

/** Starts a server in a sandbox, and waits until it says where it listens. */
export async function startServer(
  sandbox: Sandbox,
  args: readonly string[] = [],
): Promise<ServerProcess> {
  const server = sandbox.start("serve", "--port", "0", ...args);
  const line = await Promise.race([firstLine(server), server.answer.then(({ stderr }) => stderr)]);
  const url = /http:\/\/[^"\s]+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`The server said: ${line}`);
  return { ...server, url, line };
}

async function firstLine({ child }: StoreProcess): Promise<string> {
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return line;
}

/** No list of common passwords has it. */
export const password = "lagoon tractor 93 violet";

/** A sandbox whose commands work with a server in it, as the first user, who is logged in. */
export async function sandboxWithServer(
  environment: Readonly<Record<string, string>> = {},
): Promise<{ sandbox: Sandbox; server: ServerProcess } & AsyncDisposable> {
  const sandbox = await Sandbox.create();
  try {
    Object.assign(sandbox.env, environment);
    const server = await startServer(sandbox, ["--json"]);
    const { setup_token: setupToken } = JSON.parse(server.line) as { setup_token: string };
    sandbox.env.STORE_URL = server.url;
    await withPassword(sandbox, ["user", "create", "ada"], { STORE_TOKEN: setupToken });
    await withPassword(sandbox, ["login", "ada"]);
    return { sandbox, server, [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose]() };
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a command that must succeed and is given the password on stdin. */
export async function withPassword(
  sandbox: Sandbox,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const options = { env, stdin: `${password}\n` };
  const { exitCode, stderr } = await sandbox.store([...args, "--password-stdin"], options);
  if (exitCode !== 0) throw new Error(`store ${args.join(" ")}: ${stderr}`);
}

/** A way to a server that counts what is sent to it. */
export interface CountingProxy extends AsyncDisposable {
  readonly url: string;
  sentBytes: number;
}

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const proxy = createServer((incoming) => {
    const outgoing = createConnection(Number(port), hostname);
    incoming.on("data", (chunk) => {
      counting.sentBytes += chunk.byteLength;
    });
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("It has no port.");
  const counting: CountingProxy = {
    url: `http://127.0.0.1:${address.port}`,
    sentBytes: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, "close");
    },
  };
  return counting;
}
