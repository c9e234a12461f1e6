import { StoreError } from "@store/identity";

/** Throws `aborted`, with the signal's reason as cause, if the signal was given and has fired. */
export function assertNotAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) throw abortedError(signal, what);
}

/**
 * What `promise` comes to, or `aborted` as soon as the signal fires. The listener is removed at
 * once: a race against one long-lived promise would keep every chunk until the end.
 */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) return Promise.reject(abortedError(signal, what));
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(abortedError(signal, what));
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    promise.then(settled, settled);
    promise.then(resolve, reject);
  });
}

function abortedError(signal: AbortSignal, what: string): StoreError {
  return new StoreError("aborted", `The ${what} was given up: its signal was aborted.`, {
    cause: signal.reason,
  });
}
