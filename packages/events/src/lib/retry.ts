import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { isStoreError } from "@store/identity";

const firstDelayMs = 100;
const longestDelayMs = 5_000;

/** Waits until `signal` is aborted, but not longer than `longestMs`. Never throws. */
export async function pause(longestMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    if (longestMs < Infinity) await sleep(longestMs, undefined, { signal });
    else await once(signal, "abort");
  } catch {
    // Aborted: the caller looks at the signal.
  }
}

/**
 * Does `work`, and does it again for as long as the database is unavailable: after 100 ms, then
 * after twice as long each time, up to 5 s. Gives `undefined` once `signal` is aborted.
 */
export async function whileUnavailable<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (
    let delayMs = firstDelayMs;
    !signal.aborted;
    delayMs = Math.min(2 * delayMs, longestDelayMs)
  ) {
    try {
      return await work();
    } catch (error) {
      if (!isStoreError(error, "database_unavailable")) throw error;
    }
    await pause(delayMs, signal);
  }
  return undefined;
}
