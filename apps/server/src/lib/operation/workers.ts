import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

import { StoreError } from "@store/identity";

import type { Log } from "../log.ts";
import { answerForWorkers } from "./worker-metrics.ts";

export interface RunWorkersOptions {
  readonly workers: number;
  /** Ends the workers once aborted. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called once, when the first worker listens. */
  readonly onListening: (url: string) => Promise<void>;
}

/** After a worker that lived for less than this, the next one waits. */
const livedMs = 10_000;
/** Where it had listened, since it is needed; a worker that never did is tried ever less often. */
const shortPauseMs = 500;
const longestPauseMs = 30_000;

/**
 * Starts this program once for each worker, which share one port, and starts another for each that
 * ends by itself. Resolves once the signal was aborted and all have ended.
 *
 * @throws {StoreError} `internal` where the first workers end before any listens
 */
export async function runWorkers(options: RunWorkersOptions): Promise<void> {
  const { workers, signal, log, onListening } = options;
  answerForWorkers();
  // Workers accept connections themselves. One that this process had handed to a worker that is
  // killed before it takes it would stay open for ever, with nobody at its other end.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const listening = new Listening(onListening);
  const stop = (): void => {
    for (const worker of living()) worker.process.kill("SIGTERM");
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.all(
      Array.from({ length: workers }, () => keepWorker({ signal, log, listening })),
    );
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
  if (listening.failure !== undefined) throw listening.failure;
}

interface Keeping {
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly listening: Listening;
}

/** Keeps one worker running until the signal is aborted. */
async function keepWorker({ signal, log, listening }: Keeping): Promise<void> {
  let pauseMs = 0;
  while (!signal.aborted && listening.failure === undefined) {
    const begunMs = performance.now();
    const worker = cluster.fork();
    let listened = false;
    worker.on("message", (message: unknown) => {
      listened ||= isListening(message);
      listening.heard(message);
    });
    const [code, killedBy] = (await once(worker, "exit")) as [number | null, string | null];
    if (signal.aborted) return;
    if (!listening.happened) {
      listening.failure = startFailed(code);
      return;
    }
    log.error(`A worker ended (${killedBy ?? `exit code ${code}`}); another is started.`);
    if (performance.now() - begunMs > livedMs) pauseMs = 0;
    else if (listened) pauseMs = shortPauseMs;
    else pauseMs = Math.min(longestPauseMs, Math.max(shortPauseMs, pauseMs * 2));
    await wait(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether a worker listens yet. */
class Listening {
  readonly #tell: (url: string) => Promise<void>;
  happened = false;
  failure: StoreError | undefined;

  constructor(tell: (url: string) => Promise<void>) {
    this.#tell = tell;
  }

  heard(message: unknown): void {
    if (!isListening(message) || this.happened) return;
    this.happened = true;
    void this.#tell(message.url);
  }
}

interface ListeningMessage {
  readonly type: "store:listening";
  readonly url: string;
}

function isListening(message: unknown): message is ListeningMessage {
  return typeof message === "object" && message !== null && "type" in message
    ? message.type === "store:listening"
    : false;
}

function living(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
}

function startFailed(code: number | null): StoreError {
  return new StoreError(
    "internal",
    `A worker ended with the exit code ${code} before it listened; what it printed says why.`,
  );
}

/** A worker's side: the process that started it, while that lives. */
export interface Membership {
  /** Aborted once the process that started this one is gone. */
  readonly signal: AbortSignal;
  listens(url: string): void;
  /** Lets this process end. */
  leave(): void;
}

/** Joins the process that started this worker. */
export function joinWorkers(): Membership {
  const gone = new AbortController();
  process.once("disconnect", () => {
    gone.abort(new StoreError("aborted", "The process that started this worker is gone."));
  });
  return {
    signal: gone.signal,
    listens: (url) => process.send?.({ type: "store:listening", url } satisfies ListeningMessage),
    leave: () => {
      if (process.connected) process.disconnect();
    },
  };
}
