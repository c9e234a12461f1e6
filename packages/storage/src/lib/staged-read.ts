import { isStoreError, StoreError } from "@store/identity";
import type { Staged, StagedReadOptions } from "./contract.ts";

/** Refuses a `write` or `sync` of staged bytes that were read back. */
export function assertNotReadBack(readBack: boolean, id: string): void {
  if (!readBack) return;
  throw new StoreError(
    "invalid_argument",
    `The staged bytes ${JSON.stringify(id)} were read back and are final; commit or abort them.`,
  );
}

/**
 * One read of staged bytes made of several: where one breaks off, another begins and leaves out
 * what was delivered. `next` says what to read then, and throws to give up; `progressed`: whether
 * the read that failed went further than those before.
 */
export async function* joinedStagedRead(
  first: Staged,
  options: StagedReadOptions,
  next: (failure: unknown, progressed: boolean) => Promise<Staged>,
): AsyncGenerator<Uint8Array> {
  let delivered = 0;
  let cause: StoreError | undefined;
  for (let staged = first; ;) {
    const before = delivered;
    let offset = 0;
    try {
      for await (const chunk of staged.read(options)) {
        const known = Math.min(delivered - offset, chunk.length);
        offset += chunk.length;
        if (known === chunk.length) continue;
        delivered = offset;
        yield known === 0 ? chunk : chunk.subarray(known);
      }
      return;
    } catch (failure) {
      // A sync that failed has ended the staged bytes: that it did is what went wrong.
      if (cause !== undefined && isStoreError(failure, "staged_not_found")) throw cause;
      cause = isStoreError(failure) ? failure : undefined;
      staged = await next(failure, delivered > before);
    }
  }
}
