/**
 * How long a long job may hold the event loop at a time. Far below the 50 ms that are allowed:
 * a garbage collection can come on top, and several jobs can begin in the same turn.
 */
const sliceMs = 5;

/**
 * Divides a long synchronous job into slices: between two of them the event loop turns.
 *
 * ```ts
 * if (pacer.isDue()) await pacer.pause();
 * ```
 */
export class Pacer {
  #sliceStartMs = performance.now();

  /** Whether the slice is used up. */
  isDue(): boolean {
    return performance.now() - this.#sliceStartMs >= sliceMs;
  }

  /** Lets the event loop turn; resolves when it is this job's turn again. */
  async pause(): Promise<void> {
    await nextTurn();
    this.#sliceStartMs = performance.now();
  }
}

const waiting: (() => void)[] = [];

/** Resolves one waiting job a turn, so that many jobs together hold no turn for longer. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) defer(resumeOne);
  });
}

function resumeOne(): void {
  const resume = waiting.shift();
  if (waiting.length > 0) defer(resumeOne);
  resume?.();
}

const defer: (callback: () => void) => void =
  typeof setImmediate === "function" ? setImmediate : deferByMessage();

/** A browser has no `setImmediate`, and makes nested timers wait for at least 4 ms. */
function deferByMessage(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const callbacks: (() => void)[] = [];
  port1.addEventListener("message", () => callbacks.shift()?.());
  port1.start();
  return (callback) => {
    callbacks.push(callback);
    port2.postMessage(undefined);
  };
}
