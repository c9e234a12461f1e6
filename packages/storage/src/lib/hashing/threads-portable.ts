import type { ThreadHasher } from "./hash-thread.ts";

/** Outside of Node.js no thread is started for hashing. */
export async function findThreadHasher(_expectedBytes: number): Promise<ThreadHasher | undefined> {
  return undefined;
}
