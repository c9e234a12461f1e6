import { setMaxListeners } from "node:events";

/** How much may be under way at once. */
export interface Bounds<T> {
  readonly count: number;
  /** The sum of the weights, e.g. of bytes in memory; one item alone may weigh more. */
  readonly weight: number;
  readonly weightOf: (item: T) => number;
  readonly signal: AbortSignal;
}

/**
 * Works on many items at once, within bounds. The first failure stops it: no further item is taken,
 * the others' signal is aborted, all of them are waited for, and then the failure is thrown.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  bounds: Bounds<T>,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([bounds.signal, failed.signal]);
  // Every item under way listens; a warning of a leak would be wrong.
  setMaxListeners(0, signal);
  let failure: { error: unknown } | undefined;
  const running = new Set<Promise<void>>();
  let weight = 0;
  let settled = Promise.withResolvers<void>();

  const start = (item: T, itemWeight: number): void => {
    weight += itemWeight;
    const task = work(item, signal)
      .catch((error: unknown) => {
        failure ??= { error };
        failed.abort(error);
      })
      .finally(() => {
        weight -= itemWeight;
        running.delete(task);
        settled.resolve();
        settled = Promise.withResolvers();
      });
    running.add(task);
  };

  try {
    for await (const item of items) {
      const itemWeight = Math.min(bounds.weightOf(item), bounds.weight);
      while (running.size >= bounds.count || weight + itemWeight > bounds.weight) {
        await settled.promise;
      }
      if (signal.aborted) break;
      start(item, itemWeight);
    }
  } catch (error) {
    failure ??= { error };
    failed.abort(error);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
  bounds.signal.throwIfAborted();
}

/** Up to 64 small files at once, of large ones as many as keep 32 MiB in memory. */
export const fileBounds = {
  count: 64,
  weight: 32 * 1024 * 1024,
  weightOf: (file: { readonly sizeBytes: number }): number =>
    Math.min(Math.max(file.sizeBytes, 64 * 1024), 8 * 1024 * 1024),
} as const;
