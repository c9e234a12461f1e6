/** What may be under way at once. */
interface Bounds<Item> {
  readonly count: number;
  /** How many bytes an item is, where that says how much memory it takes; nothing unless given. */
  readonly sizeOf?: (item: Item) => number;
}

/** A backend may hold a small object whole, up to 16 MiB; of a larger one it holds a part. */
const mostHeldBytes = 16 * 1024 * 1024;
/** What is held of all objects together. */
const heldBytesAtOnce = 128 * 1024 * 1024;

/**
 * Works on items, so many at a time. The first failure stops it: no further item is begun, those
 * under way are waited for, and then it is thrown.
 */
export async function forEachAtOnce<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  { count, sizeOf = () => 0 }: Bounds<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let heldBytes = 0;
  let failure: { readonly error: unknown } | undefined;
  for await (const item of items) {
    const itemBytes = Math.min(sizeOf(item), mostHeldBytes);
    while (running.size >= count || heldBytes + itemBytes > heldBytesAtOnce) {
      await Promise.race(running);
    }
    if (failure !== undefined) break;
    heldBytes += itemBytes;
    const task = work(item)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        heldBytes -= itemBytes;
        running.delete(task);
      });
    running.add(task);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}
