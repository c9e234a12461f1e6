/** Notices that the other end of a connection has owed an answer for too long. */
import { setImmediate as nextTurn } from "node:timers/promises";

/** What is watched. */
export interface WatchedAnswers {
  /** Longest silence while an answer is owed, in milliseconds. */
  readonly timeoutMs: number;
  /** Bytes that have arrived so far; while they grow, the other end is not silent. */
  readonly bytesRead: () => number;
  readonly onSilent: () => void;
}

/**
 * Counts what was asked and not answered. A network that is gone says nothing, and neither does a
 * server that was stopped; the system may take a quarter of an hour to find out.
 */
export class AnswerWatch {
  readonly #watched: WatchedAnswers;
  #owed = 0;
  #heardMs = 0;
  #bytesRead = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(watched: WatchedAnswers) {
    this.#watched = watched;
  }

  asked(): void {
    this.#owed += 1;
    if (this.#owed > 1) return;
    this.#heardMs = performance.now();
    this.#bytesRead = this.#watched.bytesRead();
    // One timer serves many statements; it looks how long the one that is owed then has been.
    this.#timer ??= this.#arm(this.#watched.timeoutMs);
  }

  answered(): void {
    this.#owed -= 1;
    this.#heardMs = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#owed = 0;
  }

  #arm(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => void this.#check(), delayMs).unref();
  }

  async #check(): Promise<void> {
    // What arrived while this process was busy is read first.
    await nextTurn();
    this.#timer = undefined;
    if (this.#owed === 0) return;
    const { timeoutMs, bytesRead, onSilent } = this.#watched;
    const bytes = bytesRead();
    if (bytes !== this.#bytesRead) {
      this.#bytesRead = bytes;
      this.#heardMs = performance.now();
    }
    const leftMs = this.#heardMs + timeoutMs - performance.now();
    if (leftMs <= 0) onSilent();
    else this.#timer = this.#arm(leftMs);
  }
}
