import { Readable } from "node:stream";
import { getEventListeners } from "node:events";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestBytes, digestStream } from "../src/index.ts";

describe("the digest of a stream", () => {
  test("is that of its bytes, however they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 8 }),
        async (chunks) => {
          const expected = await digestBytes(Buffer.concat(chunks));
          expect(await digestStream(from(chunks))).toEqual(expected);
          const { signal } = new AbortController();
          expect(await digestStream(from(chunks), { signal })).toEqual(expected);
        },
      ),
    );
  });

  test("of nothing is that of no bytes", async () => {
    expect(await digestStream(from([]))).toEqual(await digestBytes(new Uint8Array()));
  });

  test("may be taken of a Node stream and of a web stream", async () => {
    const bytes = new Uint8Array(200_000).fill(5);
    const expected = await digestBytes(bytes);
    expect(await digestStream(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]))).toEqual(
      expected,
    );
    expect(await digestStream(new Blob([bytes]).stream())).toEqual(expected);
  });

  test("takes the source's chunks in one pass, one at a time", async () => {
    let asked = 0;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        async next() {
          asked += 1;
          return asked <= 3
            ? { done: false, value: new Uint8Array(10) }
            : { done: true, value: undefined };
        },
      }),
    };
    expect((await digestStream(source)).sizeBytes).toBe(30);
    expect(asked).toBe(4);
  });

  test("passes on what the source throws, as it is", async () => {
    const failure = new Error("the disk is gone");
    for (const options of [{}, { signal: new AbortController().signal }]) {
      await expect(digestStream(failing(failure), options)).rejects.toBe(failure);
    }
  });

  test("refuses a chunk that is not bytes, and tells the source to return", async () => {
    const source = recording([new Uint8Array(1), "text"]);
    await expect(digestStream(source.stream)).rejects.toMatchObject({ code: "invalid_argument" });
    expect(source.returned).toBe(true);
  });
});

describe("an aborted digest", () => {
  test("does not touch the source where the signal had fired before", async () => {
    const source = recording([new Uint8Array(1)]);
    const signal = AbortSignal.abort("too late");
    await expect(digestStream(source.stream, { signal })).rejects.toMatchObject({
      code: "aborted",
      cause: "too late",
    });
    expect(source.started).toBe(false);
  });

  test("ends while a chunk is awaited that never comes", async () => {
    const controller = new AbortController();
    const digest = digestStream(hanging(), { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(digest).rejects.toMatchObject({ code: "aborted" });
  });

  test("tells the source to return, and hashes no more", async () => {
    const controller = new AbortController();
    const source = recording([new Uint8Array(1), new Uint8Array(1), new Uint8Array(1)], (index) => {
      if (index === 1) controller.abort();
    });
    await expect(digestStream(source.stream, { signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    await new Promise(setImmediate);
    expect(source.returned).toBe(true);
    expect(source.given).toBe(2);
  });

  test("does not raise what a source throws after nobody listens any more", async () => {
    const controller = new AbortController();
    const late = Promise.withResolvers<IteratorResult<Uint8Array>>();
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => late.promise }),
    };
    const digest = digestStream(source, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(digest).rejects.toMatchObject({ code: "aborted" });
    // An unhandled rejection would fail the run.
    late.reject(new Error("late"));
    await new Promise(setImmediate);
  });

  test("leaves no listener on a signal that outlives it", async () => {
    const { signal } = new AbortController();
    await digestStream(from([new Uint8Array(1)]), { signal });
    await expect(digestStream(failing(new Error("x")), { signal })).rejects.toThrow("x");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* failing(failure: Error): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  throw failure;
}

async function* hanging(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  await new Promise(() => {});
}

/** A source that knows what became of it; what it gives need not be bytes. */
function recording(
  chunks: readonly unknown[],
  onGive: (index: number) => void = () => {},
): { stream: AsyncIterable<Uint8Array>; started: boolean; returned: boolean; given: number } {
  const record = { stream: read(), started: false, returned: false, given: 0 };
  async function* read(): AsyncGenerator<Uint8Array> {
    record.started = true;
    try {
      for (const [index, chunk] of chunks.entries()) {
        onGive(index);
        record.given += 1;
        // The compiler would refuse what a caller without one may well pass.
        yield chunk as Uint8Array;
      }
    } finally {
      record.returned = true;
    }
  }
  return record;
}
