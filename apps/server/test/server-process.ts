import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { createInterface } from "node:readline";

const program = new URL("programs/byte-server.ts", import.meta.url).pathname;
/** What a socket gives is garbage at once; a small young generation lets go of it sooner. */
const smallYoungGeneration = "--max-semi-space-size=4";

/**
 * A server in a process of its own, behind an address that stays when the server is another, and
 * whose connections can be cut.
 */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** Destroys every connection, on both sides of it. */
  cut(): void;
  /** Ends the process, and starts another on the same folder. */
  restart(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** The most memory that any of the processes had at once, in bytes. */
  peakBytes(): Promise<number>;
}

export async function startServerProcess(folder: string): Promise<ServerProcess> {
  let peak = 0;
  let running = await start(folder);
  let restarting = Promise.resolve();
  const sockets = new Set<Socket>();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const keep = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on("error", () => undefined);
    from.once("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  };
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: running.port, host: "127.0.0.1", allowHalfOpen: true });
    keep(client, upstream);
    keep(upstream, client);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const measure = async () => {
    peak = Math.max(peak, await peakBytesOf(running.child));
    return peak;
  };
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut,
    restart(signal) {
      restarting = restarting.then(async () => {
        await measure();
        await end(running.child, signal);
        running = await start(folder);
      });
      return restarting;
    },
    peakBytes: measure,
    [Symbol.asyncDispose]: async () => {
      await restarting;
      cut();
      proxy.close();
      await end(running.child, "SIGTERM");
    },
  };
}

async function start(folder: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [smallYoungGeneration, program, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = (await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(() => Promise.reject(new Error("The server did not start."))),
  ])) as [string];
  return { child, port: Number(new URL(url).port) };
}

async function end(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** What the system says of a process that lives; 0 where it does not say. */
async function peakBytesOf({ pid }: ChildProcess): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
