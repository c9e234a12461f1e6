import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { HashThread, type ThreadHasher } from "./hash-thread.ts";

/** One processor is left to the caller. What more than four can hash no disk can take. */
const MOST_THREADS = Math.min(Math.max(availableParallelism() - 1, 1), 4);
/** A thread takes up to a tenth of a second to start, in which so much is hashed without one. */
const WORTH_STARTING_BYTES = 128 * 1024 * 1024;
const IDLE_MS = 10_000;
/** Where a thread could not be started, it is tried again after so long. */
const RETRY_MS = 60_000;

/** Those that run or are starting, each with the timer that ends it when it is idle. */
const threads = new Map<HashThread, NodeJS.Timeout | undefined>();
let missedAt = -Infinity;
let failedAt = -Infinity;

/**
 * A hasher on a thread that runs already, or for much on a new one. Others are started for those
 * who come later, as long as all have work. Undefined where that is not worth it, or no thread can
 * be started.
 */
export async function findThreadHasher(expectedBytes: number): Promise<ThreadHasher | undefined> {
  const running = leastLoaded();
  const isMuch = expectedBytes >= WORTH_STARTING_BYTES;
  if (running === undefined ? isMuch || isFrequent() : running.load > 0) startThread();
  if (running !== undefined || !isMuch) return running?.createHasher();
  await Promise.any([...threads.keys()].map((thread) => thread.started())).catch(() => undefined);
  return leastLoaded()?.createHasher();
}

function leastLoaded(): HashThread | undefined {
  let least: HashThread | undefined;
  for (const thread of threads.keys()) {
    if (thread.isReady && thread.load < (least?.load ?? Infinity)) least = thread;
  }
  return least;
}

/** Whether a thread was missing a short while ago, as it is now. */
function isFrequent(): boolean {
  const now = performance.now();
  const frequent = now - missedAt < IDLE_MS;
  missedAt = now;
  return frequent;
}

function startThread(): void {
  if (threads.size >= MOST_THREADS || performance.now() - failedAt < RETRY_MS) return;
  try {
    const thread = new HashThread(newWorker(), () => freed(thread));
    freed(thread);
  } catch {
    failedAt = performance.now();
  }
}

function newWorker(): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const program = new URL(`./hash-worker.${extension}`, import.meta.url);
  // What the process was started with, such as --input-type, is not meant for the thread.
  return new Worker(program, { execArgv: [] });
}

/** Ends a thread that stays without work, and forgets one that was lost. */
function freed(thread: HashThread): void {
  clearTimeout(threads.get(thread));
  if (thread.isLost) {
    threads.delete(thread);
    if (!thread.isReady) failedAt = performance.now();
    return;
  }
  const timer = setTimeout(() => {
    if (thread.load > 0) return;
    threads.delete(thread);
    thread.end();
  }, IDLE_MS);
  threads.set(thread, timer.unref());
}
