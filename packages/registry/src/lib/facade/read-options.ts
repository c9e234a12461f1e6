import { assertFlag, assertRange, assertSignal, optionsOf } from "../arguments.ts";
import type { ReadContentOptions } from "../types.ts";

/** How to read, which may be left out; throws `invalid_argument` for what says nothing. */
export function readOptions(given: ReadContentOptions | undefined): ReadContentOptions {
  const options = optionsOf(given);
  assertSignal(options.signal);
  assertFlag("reuseChunks", options.reuseChunks);
  if (options.range !== undefined) assertRange(options.range);
  return options;
}
