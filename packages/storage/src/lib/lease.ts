import { StoreError } from "@store/identity";

const LEASE = /^[a-z0-9-]{1,64}$/;

/** Refuses, with `invalid_argument`, a lease id that breaks the contract's rule. */
export function assertLease(lease: string): void {
  if (!LEASE.test(lease)) {
    throw new StoreError(
      "invalid_argument",
      `The lease id ${JSON.stringify(lease)} is not 1 to 64 characters of a-z, 0-9 and "-".`,
      { context: { actual: lease } },
    );
  }
}
