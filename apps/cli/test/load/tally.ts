import { latenciesOf, type Ledger, type LoadReport } from "./ledger.ts";

const defectsTold = 20;

/** What the clients of one process did, and what they were told. */
export class Tally {
  readonly ledger: Ledger = { finalized: [], open: [], abandoned: [], moves: [] };
  readonly smallReadsMs: number[] = [];
  requests = 0;
  resumed = 0;
  readonly #outcomes = new Map<string, number>();
  readonly #defects: string[] = [];
  #defectCount = 0;

  count(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  defect(what: string): void {
    this.#defectCount += 1;
    if (this.#defects.length < defectsTold) this.#defects.push(what);
  }

  report(name: string, seconds: number): LoadReport {
    return {
      name,
      ledger: this.ledger,
      outcomes: Object.fromEntries(this.#outcomes),
      defects: this.#defects,
      defectCount: this.#defectCount,
      requests: this.requests,
      resumed: this.resumed,
      smallReadsMs: latenciesOf(this.smallReadsMs),
      seconds: Math.round(seconds * 10) / 10,
    };
  }
}
