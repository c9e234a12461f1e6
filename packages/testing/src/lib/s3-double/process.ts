import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { controlNames, type S3Controls } from "./controls.ts";
import type { CallMessage, ResultMessage, StartedMessage, StartMessage } from "./remote.ts";
import type { S3Double, S3DoubleOptions } from "./server.ts";

/** How to start a double as a process of its own. */
export interface S3DoubleProcessOptions extends S3DoubleOptions {
  /** When the process ends by itself. Default two hours. */
  readonly maximumLifeMs?: number;
}

/** A double in a process of its own. */
export interface S3DoubleProcess extends S3Double {
  readonly pid: number;
}

const defaultLifeMs = 2 * 3_600_000;

/**
 * Starts a double as a process of its own: for several servers, and where its work may not be the
 * caller's. It ends when its parent ends or closes it, and after a bounded time at the latest.
 */
export async function startS3DoubleProcess(
  options: S3DoubleProcessOptions = {},
): Promise<S3DoubleProcess> {
  const { maximumLifeMs = defaultLifeMs, ...doubleOptions } = options;
  const child = fork(fileURLToPath(new URL("process-program.ts", import.meta.url)), [], {
    serialization: "advanced",
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, UV_THREADPOOL_SIZE: "16" },
  });
  const channel = new Channel(child);
  const start: StartMessage = { options: doubleOptions, maximumLifeMs };
  child.send(start);
  const place = await channel.started;
  if (child.pid === undefined) throw new Error("The double has no process.");
  return { ...place, ...channel.controls(), pid: child.pid, close: () => channel.close() };
}

class Channel {
  readonly started: Promise<StartedMessage>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    const first = Promise.withResolvers<StartedMessage>();
    this.started = first.promise;
    child.once("message", (message) => {
      first.resolve(message as StartedMessage);
      child.on("message", (next) => this.#settle(next as ResultMessage));
    });
    child.once("exit", (code, signal) => {
      const gone = new Error(`The double's process has ended (${signal ?? code}).`);
      first.reject(gone);
      for (const waiting of this.#waiting.values()) waiting.reject(gone);
      this.#waiting.clear();
    });
  }

  controls(): S3Controls {
    const entries = controlNames.map((name) => {
      return [name, (...values: readonly unknown[]) => this.#call(name, values)] as const;
    });
    // Each entry has the signature of its name: the other side calls that method.
    return Object.fromEntries(entries) as unknown as S3Controls;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    if (this.#child.connected) this.#child.disconnect();
    await ended;
  }

  #call(name: CallMessage["name"], values: readonly unknown[]): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    if (!this.#child.connected) return Promise.reject(new Error("The double's process has ended."));
    this.#last += 1;
    this.#waiting.set(this.#last, waiting);
    const message: CallMessage = { id: this.#last, name, values };
    this.#child.send(message);
    return waiting.promise;
  }

  #settle(result: ResultMessage): void {
    const waiting = this.#waiting.get(result.id);
    this.#waiting.delete(result.id);
    if ("error" in result) waiting?.reject(new Error(result.error));
    else waiting?.resolve(result.value);
  }
}
