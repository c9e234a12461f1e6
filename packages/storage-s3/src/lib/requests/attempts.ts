import { setTimeout as pause } from "node:timers/promises";
import { aborted, retrialOf } from "./failure.ts";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;

/** Makes the client sign with credentials that are newer than those of `generation`. */
export interface CredentialsRenewal {
  readonly generation: number;
  renew(generation: number): Promise<void>;
}

/**
 * Tries a request until it succeeds, at most `attempts` times. Between two attempts is a random
 * pause below a bound that doubles ("full jitter": M. Brooker, Exponential Backoff and Jitter,
 * 2015), none where the clock or the credentials were what was wrong. Throws the last failure as it
 * is, or `aborted`.
 */
export async function attempted<T>(
  call: () => Promise<T>,
  attempts: number,
  renewal: CredentialsRenewal,
  signal?: AbortSignal,
): Promise<T> {
  let renewed = false;
  for (let failures = 1; ; failures++) {
    if (signal?.aborted) throw aborted(signal.reason);
    const { generation } = renewal;
    try {
      return await call();
    } catch (error) {
      if (signal?.aborted) throw aborted(signal.reason);
      const retrial = retrialOf(error);
      if (retrial === "never" || failures >= attempts) throw error;
      if (retrial === "with new credentials") {
        if (renewed) throw error;
        renewed = true;
        await renewal.renew(generation);
      }
      if (retrial === "later") await pauseBefore(failures, signal);
    }
  }
}

async function pauseBefore(failures: number, signal: AbortSignal | undefined): Promise<void> {
  const bound = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  try {
    await pause(Math.random() * bound, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted ? aborted(signal.reason) : error;
  }
}
