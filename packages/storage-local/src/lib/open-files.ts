import { setTimeout as setTimeoutPromise } from "node:timers/promises";
import { StoreError } from "@store/identity";
import { errnoOf } from "./failure.ts";
import type { FileSystem } from "./file-system.ts";

/** How long a caller waits for a descriptor before it is told that there is none. */
const PATIENCE_MS = 30_000;
/** How often an open that failed with EMFILE is tried again. */
const RETRY_MS = 50;

/**
 * Opens files, a bounded number at a time. Who comes later waits, in order, until one is closed;
 * so does an open for which the process or the system has no descriptor left.
 */
export class OpenFiles {
  readonly #fileSystem: FileSystem;
  readonly #limit: number;
  readonly #patienceMs: number;
  readonly #waiting = new Set<() => void>();
  #open = 0;

  constructor(fileSystem: FileSystem, limit: number, patienceMs = PATIENCE_MS) {
    this.#fileSystem = fileSystem;
    this.#limit = limit;
    this.#patienceMs = patienceMs;
  }

  /** How many are open, or about to be. */
  get count(): number {
    return this.#open;
  }

  /** Rejects with the system's error, `storage_unavailable` after the wait, or `aborted`. */
  async open(path: string, flags: number, mode?: number, signal?: AbortSignal): Promise<number> {
    if (this.#open >= this.#limit) await this.#turn(signal);
    else this.#open++;
    try {
      return await this.#openWhenPossible(path, flags, mode, signal);
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /**
   * Closes a descriptor. Never rejects: what must be durable was synced before, so that an error
   * of close has nothing left to say.
   */
  async close(descriptor: number): Promise<void> {
    await this.#fileSystem.close(descriptor).catch(() => {});
    this.#release();
  }

  /**
   * Closes a descriptor right after its sync. The system has nothing to wait for then, so that
   * this holds the event loop for a microsecond, where a thread's way there and back takes ten.
   */
  closeSynced(descriptor: number): void {
    try {
      this.#fileSystem.closeSynced(descriptor);
    } catch {
      // As for close.
    }
    this.#release();
  }

  #turn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        this.#waiting.delete(turn);
        outcome();
      };
      const turn = () => settle(resolve);
      const giveUp = () => settle(() => reject(aborted(signal?.reason)));
      const timer = setTimeout(() => settle(() => reject(this.#exhausted())), this.#patienceMs);
      signal?.addEventListener("abort", giveUp);
      this.#waiting.add(turn);
    });
  }

  /** Hands the place of a closed file to who waits longest. */
  #release(): void {
    const [turn] = this.#waiting;
    if (turn === undefined) this.#open--;
    else turn();
  }

  async #openWhenPossible(
    path: string,
    flags: number,
    mode: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
      if (signal?.aborted) throw aborted(signal.reason);
      try {
        return await this.#fileSystem.open(path, flags, mode);
      } catch (error) {
        if (!["EMFILE", "ENFILE"].includes(errnoOf(error) ?? "")) throw error;
        if (waitedMs >= this.#patienceMs) throw this.#exhausted(error);
      }
      await setTimeoutPromise(RETRY_MS);
    }
  }

  #exhausted(cause?: unknown): StoreError {
    return new StoreError(
      "storage_unavailable",
      `No file could be opened for ${this.#patienceMs / 1000} seconds: too many are open. ` +
        "Raise the limit of open files (ulimit -n, maxOpenFiles), or read and write fewer at once.",
      { cause, context: { limit: this.#limit } },
    );
  }
}

/** The error of a caller that gave up. */
export function aborted(reason: unknown): StoreError {
  return new StoreError("aborted", "The caller gave up.", { cause: reason });
}
