/** Asks for the next item, which {@link inTime} waits for. */
export function nextOf<T>(iterator: AsyncIterator<T>): Promise<IteratorResult<T>> {
  const next = iterator.next();
  // Where it fails while nobody waits for it, the client is gone.
  next.catch(() => undefined);
  return next;
}

/** What a promise gives, or undefined where it takes longer. It may be waited for again. */
export async function inTime<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
