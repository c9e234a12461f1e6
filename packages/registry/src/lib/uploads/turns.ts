import { StoreError } from "@store/identity";

/** The right to work on an upload in this process. */
export interface Turn {
  /** Fires when somebody waits for the turn after this one. */
  readonly asked: AbortSignal;
  end(): void;
}

interface Taken {
  readonly asked: AbortController;
  readonly ended: Promise<void>;
}

/** The refusal of who came too late, or was overtaken. */
export function uploadLocked(uploadId: string, why: string): StoreError {
  return new StoreError("upload_locked", `The upload ${uploadId} is in use: ${why}.`, {
    context: { actual: uploadId },
  });
}

/**
 * One at a time works on an upload, and the newest wins: who comes asks the one before to end and
 * waits for that; one that waits already gives up. A client that lost its connection comes back
 * long before its server has noticed.
 */
export class Turns {
  readonly #latest = new Map<string, Taken>();

  /** Throws `upload_locked` after `patienceMs`, or `signal`'s reason. */
  async take(uploadId: string, patienceMs: number, signal: AbortSignal): Promise<Turn> {
    const before = this.#latest.get(uploadId);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const taken: Taken = { asked: new AbortController(), ended };
    this.#latest.set(uploadId, taken);
    const end = (): void => {
      if (this.#latest.get(uploadId) === taken) this.#latest.delete(uploadId);
      resolve();
    };
    const asked = taken.asked.signal;
    if (before !== undefined) {
      before.asked.abort(uploadLocked(uploadId, "another request took it over"));
      try {
        await waited(uploadId, before.ended, patienceMs, AbortSignal.any([signal, asked]));
      } catch (error) {
        // Whoever follows still has to wait for the one before.
        void before.ended.then(end);
        throw error;
      }
    }
    return { asked, end };
  }
}

/** Waits until something has ended, for a while. */
async function waited(
  uploadId: string,
  ended: Promise<void>,
  patienceMs: number,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const late = (): void => reject(uploadLocked(uploadId, "what works on it does not end"));
  const timer = setTimeout(late, patienceMs);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([ended, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
