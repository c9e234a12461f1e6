import type { ContentAddress } from "@store/identity";
import { type ByteRange, type ReadOptions, resolveRange } from "@store/storage";
import { objectNotFound } from "./requests/failure.ts";
import { type BodySource, readBody } from "./requests/body-read.ts";
import type { Place } from "./place.ts";
import { headOf } from "./stat.ts";

/** Streams an object, or a range of it. Throws `StoreError`s. */
export async function* readObject(
  place: Place,
  address: ContentAddress,
  { range, signal, reuseChunks = false }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source: BodySource = {
    key: place.layout.object(address),
    what: `read the object ${address}`,
    reference: address,
    notFound: () => objectNotFound(address),
  };
  if (isPlain(range)) {
    yield* readBody(place, source, range ?? { start: 0 }, { signal, reuseChunks });
    return;
  }
  // An empty range, or one that may lie outside: S3 answers those in ways of its own.
  const head = await headOf(place, source.key, source.what, address);
  if (head === undefined) throw source.notFound();
  const within = resolveRange(range, head.sizeBytes);
  if (within.start < within.end) yield* readBody(place, source, within, { signal, reuseChunks });
}

/** Whether the range can be asked for as it is, and answered with a byte at least. */
function isPlain(range: ByteRange | undefined): boolean {
  if (range === undefined) return true;
  const { start, end = start + 1 } = range;
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end;
}
