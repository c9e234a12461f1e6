import { StoreError } from "@store/identity";

/** A web stream of an iterable, which reads on only as it is asked. */
export function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What a web stream gives; not every browser iterates over one. Leaving the loop cancels it. */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // No harm where it is over.
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * All bytes of a stream.
 *
 * @throws {StoreError} `limit_exceeded` above `limitBytes`
 */
export async function readAll(
  source: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) {
      throw new StoreError("limit_exceeded", `The answer has more than ${limitBytes} bytes.`, {
        context: { limit: limitBytes },
      });
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  if (chunks.length !== 1 || only === undefined) return joined(chunks, sizeBytes);
  // Whatever kind of array the transport gives, such as a Buffer.
  return new Uint8Array(only.buffer, only.byteOffset, only.byteLength);
}

/** Chunks as one. */
export function joined(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/**
 * A stream that fails with `late()` where nothing comes for `limitMs`. Only the waiting for bytes
 * counts, not the time that the reader takes.
 */
export async function* withIdleLimit(
  source: AsyncIterable<Uint8Array>,
  limitMs: number,
  late: () => Error,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const result = await inTime(iterator.next(), limitMs, late);
      if (result.done === true) {
        isOver = true;
        return;
      }
      yield result.value;
    }
  } finally {
    // Where the source hangs, so would waiting for its end.
    if (!isOver) void iterator.return?.().catch(() => undefined);
  }
}

async function inTime<T>(promise: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), limitMs);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
