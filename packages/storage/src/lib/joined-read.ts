import { type ContentAddress, createHasher, digestOf, type Hasher } from "@store/identity";
import { isStoreError } from "@store/identity";
import type { ByteRange, ObjectReader, ReadOptions } from "./contract.ts";
import { isWhole } from "./range.ts";
import { assertIntact } from "./verified-read.ts";

/**
 * Says with which reader to go on after a failure, and throws to give up. `progressed`: whether
 * the reader that failed delivered any byte.
 */
export type NextReader = (failure: unknown, progressed: boolean) => Promise<ObjectReader>;

/**
 * One read made of several: where a reader breaks off, another goes on by range from the next
 * byte. An object is immutable under its address, so that the parts fit; of a whole read that is
 * not taken on trust: the joined bytes are hashed, and the last chunk is held back until they are
 * right. A part that turns out corrupt is replaced only while nothing of it has been delivered.
 */
export async function* joinedRead(
  address: ContentAddress,
  options: ReadOptions,
  first: ObjectReader,
  next: NextReader,
): AsyncGenerator<Uint8Array> {
  const expected = digestOf(address);
  const newHasher = async (): Promise<Hasher | undefined> =>
    isWhole(options.range) ? createHasher(expected.algorithm) : undefined;
  let hasher = await newHasher();
  let received = 0;
  let delivered = false;
  let held: Uint8Array | undefined;
  for (let reader = first; ;) {
    const before = received;
    try {
      for await (const chunk of reader.open(address, remaining(options, received))) {
        received += chunk.length;
        hasher?.update(chunk);
        const ready = hasher === undefined ? chunk : held;
        held = hasher === undefined ? undefined : chunk;
        if (ready === undefined) continue;
        delivered = true;
        yield ready;
      }
      if (hasher !== undefined) assertIntact(address, hasher.digest());
      if (held !== undefined) yield held;
      return;
    } catch (failure) {
      const corrupt = isStoreError(failure, "object_corrupt");
      if (corrupt && delivered) throw failure;
      reader = await next(failure, received > before);
      if (!corrupt) continue;
      hasher = await newHasher();
      received = 0;
      held = undefined;
    }
  }
}

/** What is still to be read once `received` bytes of it are there. */
export function remaining(options: ReadOptions, received: number): ReadOptions {
  if (received === 0) return options;
  const { start = 0, end } = options.range ?? {};
  const range: ByteRange = { start: start + received, ...(end === undefined ? {} : { end }) };
  return { ...options, range };
}
