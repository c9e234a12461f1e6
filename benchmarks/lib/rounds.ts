/** A figure a round, in the order of the rounds. */
export type Rounds = readonly number[];

export interface RoundsOptions {
  readonly rounds: number;
  /** Rounds before those that count; they warm memory, caches and compiled code. Default 1. */
  readonly warmups?: number;
}

/**
 * Runs all contenders once a round, one after the other, so that a good or a bad minute of the
 * machine meets all of them, and gives what each returned, round by round. Every other round goes backwards, so that none always runs first.
 */
export async function interleave<Name extends string, Result>(
  contenders: Readonly<Record<Name, (round: number) => Promise<Result>>>,
  { rounds, warmups = 1 }: RoundsOptions,
): Promise<Record<Name, Result[]>> {
  const names = Object.keys(contenders) as Name[];
  const results = new Map<Name, Result[]>(names.map((name) => [name, []]));
  for (let round = 0; round < warmups + rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      // What the contender before left to be collected is not this one's cost.
      globalThis.gc?.();
      const result = await contenders[name](round);
      if (round >= warmups) results.get(name)?.push(result);
    }
  }
  return Object.fromEntries(results) as Record<Name, Result[]>;
}

/** How long some work took, in seconds. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Runs `task` for 0 to `count - 1`, `width` at a time; throws what the first failure threw. */
export async function concurrently(
  count: number,
  width: number,
  task: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await task(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
