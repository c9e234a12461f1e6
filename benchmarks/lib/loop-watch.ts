import { setImmediate as nextTurn } from "node:timers/promises";

/** Runs some work and returns the longest time that the event loop did not turn, in ms. */
export async function longestHoldMs(work: () => Promise<unknown>): Promise<number> {
  const watch = { working: true, longest: 0 };
  const watching = (async () => {
    let last = performance.now();
    while (watch.working) {
      await nextTurn();
      const now = performance.now();
      watch.longest = Math.max(watch.longest, now - last);
      last = now;
    }
  })();
  // The watch is in its first turn when the work begins.
  await nextTurn();
  try {
    await work();
  } finally {
    watch.working = false;
  }
  await watching;
  return watch.longest;
}
