import { StoreError } from "@store/identity";
import type { ByteRange } from "./contract.ts";

/** A range whose end is known. */
export interface ResolvedRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range as it lies in an object of `sizeBytes`; the whole object where `range` is undefined.
 * Throws `invalid_range` unless 0 ≤ start ≤ end ≤ sizeBytes, all integers.
 */
export function resolveRange(range: ByteRange | undefined, sizeBytes: number): ResolvedRange {
  const start = range?.start ?? 0;
  const end = range?.end ?? sizeBytes;
  const ordered = start >= 0 && start <= end && end <= sizeBytes;
  if (!ordered || !Number.isSafeInteger(start) || !Number.isSafeInteger(end)) {
    throw new StoreError(
      "invalid_range",
      `The byte range ${start} to ${end} (exclusive) does not lie within the object's ` +
        `${sizeBytes} bytes; ask for 0 ≤ start ≤ end ≤ ${sizeBytes}.`,
      { context: { expected: `0-${sizeBytes}`, actual: `${start}-${end}` } },
    );
  }
  return { start, end };
}

/** Whether the range asks for the whole object, so that the read can be verified. */
export function isWhole(range: ByteRange | undefined): boolean {
  return range === undefined || (range.start === 0 && range.end === undefined);
}
