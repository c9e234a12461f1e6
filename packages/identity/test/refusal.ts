import { isStoreError } from "../src/index.ts";
import type { StoreError } from "../src/index.ts";

/** The StoreError that `work` throws; fails where it throws nothing, or something else. */
export function refusalOf(work: () => unknown): StoreError {
  try {
    work();
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
