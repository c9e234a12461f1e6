import { encodeObjectWork, type ObjectWorkProgress } from "@store/api";
import { isStoreError } from "@store/identity";

import type { Problem } from "../problem.ts";
import { inTime, nextOf } from "./next-in-time.ts";

export interface ProgressLinesOptions {
  /** A line is sent after so long without progress, so that nobody takes the connection for dead. */
  readonly quietMs: number;
  /** What ends the work; its reason is what is told then. */
  readonly signal: AbortSignal;
  /** The problem that tells of what ended the work, once lines have been sent. */
  readonly problemOf: (error: unknown) => Problem;
}

const nothingYet: ObjectWorkProgress = {
  objects: 0,
  sizeBytes: 0,
  changed: 0,
  copied: 0,
  removed: 0,
  skipped: 0,
  problemCount: 0,
  problems: [],
  total: 0,
  done: false,
  resumed: false,
};

/**
 * Writes the progress of a work as lines of JSON, the last of which has `done`, or is a problem
 * (RFC 9457). What fails before the first line is thrown, so that a problem can be the answer.
 */
export async function* progressLines(
  work: AsyncIterable<ObjectWorkProgress>,
  { quietMs, signal, problemOf }: ProgressLinesOptions,
): AsyncGenerator<Uint8Array> {
  const iterator = work[Symbol.asyncIterator]();
  let last = nothingYet;
  let hasBegun = false;
  try {
    for (let next = nextOf(iterator); ;) {
      const result = await inTime(next, quietMs);
      if (result?.done === true) return;
      if (result !== undefined) next = nextOf(iterator);
      // What was said of problems is not said again.
      last = result === undefined ? { ...last, problems: [] } : result.value;
      hasBegun = true;
      yield line(encodeObjectWork(last));
    }
  } catch (thrown) {
    const error: unknown =
      isStoreError(thrown, "aborted") && signal.aborted ? signal.reason : thrown;
    if (!hasBegun) throw error;
    yield line(problemOf(error));
  } finally {
    await iterator.return?.();
  }
}

function line(value: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
