import type { BackendFailure } from "./failure.ts";
import type { CopyName } from "./recording.ts";
import type { ObjectWorkProblem, ObjectWorkProgress } from "./types.ts";

/** Problems that are kept until they are told; more are only counted. */
const mostProblems = 100;

/** What is counted of a walk. */
export type Counts = Pick<
  ObjectWorkProgress,
  "objects" | "sizeBytes" | "changed" | "copied" | "removed" | "skipped" | "problemCount"
>;

const none: Counts = {
  objects: 0,
  sizeBytes: 0,
  changed: 0,
  copied: 0,
  removed: 0,
  skipped: 0,
  problemCount: 0,
};

/** Counts what is done, and keeps the problems that nobody was told of yet. */
export class Tally {
  readonly #counts: { -readonly [Name in keyof Counts]: number };
  #problems: ObjectWorkProblem[] = [];

  constructor(counts: Counts = none) {
    this.#counts = { ...counts };
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  add(counts: Partial<Counts>): void {
    for (const [name, count] of Object.entries(counts)) {
      this.#counts[name as keyof Counts] += count;
    }
  }

  problem(
    { address, backend }: CopyName,
    failure: Pick<ObjectWorkProblem, "code" | "message">,
  ): void {
    this.#counts.problemCount += 1;
    if (this.#problems.length >= mostProblems) return;
    const { code, message } = failure;
    this.#problems.push({ address, backend, code, message });
  }

  failed({ address }: Pick<CopyName, "address">, { backend, failure }: BackendFailure): void {
    this.problem({ address, backend }, failure);
  }

  /** The problems since this was last called. */
  takeProblems(): readonly ObjectWorkProblem[] {
    const problems = this.#problems;
    this.#problems = [];
    return problems;
  }
}

/** Counts that were recorded; those that are not numbers begin anew. */
export function countsOf(state: unknown): Counts {
  const counts: Record<string, number> = { ...none };
  if (typeof state !== "object" || state === null) return none;
  for (const [name, value] of Object.entries(state)) {
    if (name in counts && Number.isSafeInteger(value)) counts[name] = Number(value);
  }
  return { ...none, ...counts };
}
