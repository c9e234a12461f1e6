import { appendFileSync } from "node:fs";

/** Whether the proofs run at their whole size: `pnpm run prove` sets `STORE_PROVE=1`. */
export const proving: boolean = process.env.STORE_PROVE === "1";

/** How many rounds a proof runs: `full` when proving, else a tenth of it, and one at least. */
export function rounds(full: number): number {
  return proving ? full : Math.max(1, Math.ceil(full / 10));
}

/** What a proof says about itself: counts and sizes, with the unit in the name (`sizeBytes`). */
export type AccountFacts = Readonly<Record<string, string | number | boolean>>;

/**
 * Records what a proof did, as one line of JSON in the file that `STORE_PROVE_ACCOUNT` names;
 * `pnpm run prove` prints the lines as a table. Does nothing where the variable is not set.
 */
export function account(name: string, facts: AccountFacts): void {
  const file = process.env.STORE_PROVE_ACCOUNT;
  // One small append is one write, so lines of several test processes do not mix.
  if (file) appendFileSync(file, `${JSON.stringify({ name, facts })}\n`);
}
