/**
 * How long an archive may hold the event loop before it lets others run. The block that is being
 * compressed, up to 4 ms, comes on top.
 */
const sliceMs = 5;

/** Divides the work on one archive into slices, between which the event loop turns. */
export class Pacer {
  #sliceStartMs = performance.now();

  /** Whether the slice is used up, and {@link Pacer.pause} should be awaited. */
  isDue(): boolean {
    return performance.now() - this.#sliceStartMs >= sliceMs;
  }

  /** Resolves in a later turn of the event loop. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) defer(resumeOne);
    });
    this.#sliceStartMs = performance.now();
  }
}

/** The archives that wait for their turn. */
const waiting: (() => void)[] = [];

/** Lets one archive go on a turn, so that many at once hold no turn for longer than one does. */
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
