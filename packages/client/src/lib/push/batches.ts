import { hashSource, type HashedSource, type UploadSource } from "./source.ts";
import { TaskGroup } from "./task-group.ts";

/** What is asked about, and kept, at once. */
const batchLimits = { files: 1_000, keptBytes: 32 * 1024 * 1024, hashedBytes: 1024 * 1024 * 1024 };
/** Files up to this are read once only. */
const smallBytes = 64 * 1024;
const hashedAtOnce = { count: 16, weight: Infinity };

/**
 * Hashes sources and gives them in batches, in their order. The next batch is hashed while the
 * one before is worked on.
 */
export async function* batchesOf(
  sources: Iterable<UploadSource> | AsyncIterable<UploadSource>,
  signal: AbortSignal,
): AsyncGenerator<readonly HashedSource[]> {
  const iterator = iteratorOf(sources);
  let isOver = false;
  const hashNext = async (): Promise<readonly HashedSource[]> => {
    const batch = await hashBatch(iterator, signal);
    isOver ||= batch.isLast;
    return batch.files;
  };
  try {
    for (let next = hashNext(); ;) {
      const files = await next;
      if (!isOver) {
        next = hashNext();
        // Where it fails while nobody waits for it, the failure is met in the next turn.
        next.catch(() => undefined);
        yield files;
      } else {
        if (files.length > 0) yield files;
        return;
      }
    }
  } finally {
    if (!isOver) await iterator.return?.();
  }
}

async function hashBatch(
  iterator: AsyncIterator<UploadSource>,
  signal: AbortSignal,
): Promise<{ readonly files: readonly HashedSource[]; readonly isLast: boolean }> {
  const files: HashedSource[] = [];
  const group = new TaskGroup(hashedAtOnce, signal);
  let [count, keptBytes, hashedBytes, isLast] = [0, 0, 0, false];
  try {
    while (count < batchLimits.files && hashedBytes < batchLimits.hashedBytes) {
      const { done, value } = await iterator.next();
      if (done === true) {
        isLast = true;
        break;
      }
      const index = count++;
      // Known beforehand, a large file ends its batch: what is in it need not wait for the next.
      hashedBytes += value.sizeBytes ?? 0;
      await group.start(1, async () => {
        const keep = keptBytes < batchLimits.keptBytes ? smallBytes : 0;
        const hashed = await hashSource(value, keep, group.signal);
        keptBytes += hashed.bytes?.byteLength ?? 0;
        if (value.sizeBytes === undefined) hashedBytes += hashed.sizeBytes;
        files[index] = hashed;
      });
    }
  } catch (error) {
    group.fail(error);
  }
  await group.finish();
  return { files, isLast };
}

function iteratorOf<T>(source: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> {
  return (async function* () {
    yield* source;
  })();
}
