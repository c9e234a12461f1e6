import { setTimeout as sleep } from "node:timers/promises";

import type { Database } from "@store/database";
import { backgroundLock } from "@store/registry";

import type { Log } from "../log.ts";

/** How often a server that does not lead asks whether it may. */
const askEveryMs = 10_000;

/** Background work of an instance, done by whichever server leads. */
export interface BackgroundJob {
  /** For the log: what is done. */
  readonly name: string;
  /** How long after one round the next begins. */
  readonly intervalMs: number;
  /** One round; ends soon once the signal is aborted. Resolves to whether more is to do at once. */
  round(signal: AbortSignal): Promise<boolean>;
}

export interface Leading {
  /** Resolves once nothing is under way any more, and another server may lead. */
  stop(): Promise<void>;
}

/**
 * Does background work once, however many servers there are: the one that holds the instance's lock
 * leads and does it, and when it stops or dies, or loses the lock, another one does. A round that
 * fails is told and tried again at the next interval.
 */
export function startLeading(
  database: Pick<Database, "tryLock">,
  jobs: readonly BackgroundJob[],
  options: { readonly log?: Log | undefined; readonly askMs?: number } = {},
): Leading {
  const { log, askMs = askEveryMs } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const done = (async () => {
    for (;;) {
      await leadOnce(database, jobs, signal, log);
      if (signal.aborted) return;
      await pause(askMs, signal);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

/** Leads for as long as the lock is held; returns at once where another server does. */
async function leadOnce(
  database: Pick<Database, "tryLock">,
  jobs: readonly BackgroundJob[],
  stopping: AbortSignal,
  log: Log | undefined,
): Promise<void> {
  try {
    if (stopping.aborted) return;
    const lock = await database.tryLock(backgroundLock);
    if (lock === undefined) return;
    log?.info("background work begins here");
    try {
      const signal = AbortSignal.any([stopping, lock.signal]);
      await Promise.all(jobs.map((job) => repeat(job, signal, log)));
    } finally {
      log?.info("background work ends here");
      await lock.release();
    }
  } catch (error) {
    if (!stopping.aborted) log?.error("background work cannot be begun", error);
  }
}

async function repeat(job: BackgroundJob, signal: AbortSignal, log: Log | undefined) {
  while (!signal.aborted) {
    let more = false;
    try {
      more = await job.round(signal);
    } catch (error) {
      if (!signal.aborted) log?.error(`${job.name} failed`, error);
    }
    await pause(more ? 0 : job.intervalMs, signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
