/** How a test watches what happens to a source. */
export interface Source extends AsyncIterable<Uint8Array> {
  /** Chunks that were asked for and given. */
  given: number;
  /** Whether its finally ran. */
  released: boolean;
}

/** Yields `bytes` in chunks from one buffer that is reused, as a careful file reader does. */
export function chunked(bytes: Uint8Array, chunkBytes: number): Source {
  const source: Source = {
    given: 0,
    released: false,
    async *[Symbol.asyncIterator]() {
      const buffer = new Uint8Array(chunkBytes);
      try {
        for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
          const part = bytes.subarray(offset, offset + chunkBytes);
          buffer.set(part);
          source.given++;
          yield buffer.subarray(0, part.length);
          buffer.fill(0);
        }
      } finally {
        source.released = true;
      }
    },
  };
  return source;
}

/** Yields what `before` yields, then does as `then` says. */
export function followedBy(before: AsyncIterable<Uint8Array>, then: () => Promise<void>): Source {
  const source: Source = {
    given: 0,
    released: false,
    async *[Symbol.asyncIterator]() {
      try {
        for await (const chunk of before) {
          source.given++;
          yield chunk;
        }
        await then();
      } finally {
        source.released = true;
      }
    },
  };
  return source;
}

export async function never(): Promise<void> {
  await new Promise<void>(() => {});
}
