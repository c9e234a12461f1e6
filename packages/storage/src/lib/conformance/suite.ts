import assert from "node:assert/strict";
import { committingCases } from "./committing-cases.ts";
import { inventoryCases } from "./inventory-cases.ts";
import { modelCases } from "./model-cases.ts";
import { readingBackCases } from "./reading-back-cases.ts";
import { readingCases } from "./reading-cases.ts";
import { resumingCases } from "./resuming-cases.ts";
import { type ConformanceCase, type ConformancePlace, Scope } from "./scope.ts";
import { stagingCases } from "./staging-cases.ts";

/** What the suite needs of a test runner; `vitest` and `node:test` both have it. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: ((name: string, body: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown;
  };
}

/** The backend under test. */
export interface ConformanceSubject {
  /** Names the backend in the report. */
  readonly name: string;
  /** Opens it on a new, empty place; called once a case. */
  readonly open: () => Promise<ConformancePlace>;
  /**
   * Cases that cannot hold for this backend: the case's name and why. The report shows the
   * reason; a name that is no case of the suite is an error.
   */
  readonly skips?: Readonly<Record<string, string>>;
}

/** The suite: every rule of the contract that a test can show, by group. */
export const conformanceCases: Readonly<Record<string, readonly ConformanceCase[]>> = {
  staging: stagingCases,
  "syncing and resuming": resumingCases,
  "reading staged bytes back": readingBackCases,
  committing: committingCases,
  reading: readingCases,
  "listing, removing and closing": inventoryCases,
  "all together": modelCases,
};

/**
 * Runs one case on a place of its own. Throws what the case threw; else fails if the case left an
 * object, staged bytes or anything else behind.
 */
export async function runConformanceCase(
  conformanceCase: ConformanceCase,
  open: ConformanceSubject["open"],
): Promise<void> {
  const scope = new Scope(await open());
  try {
    await conformanceCase.run(scope);
    await scope.finish();
  } finally {
    await scope.close();
  }
}

/**
 * Declares the suite's tests with a test runner.
 *
 * @example
 * describeConformance({ describe, test }, { name: "memory", open: async () => ({ … }) });
 */
export function describeConformance(runner: TestRunner, subject: ConformanceSubject): void {
  const skips = new Map(Object.entries(subject.skips ?? {}));
  const names = new Set(Object.values(conformanceCases).flatMap(namesOf));
  for (const name of skips.keys()) {
    assert.ok(names.has(name), `The suite has no case ${JSON.stringify(name)} to skip.`);
  }
  runner.describe(`${subject.name}: conformance`, () => {
    for (const [group, cases] of Object.entries(conformanceCases)) {
      runner.describe(group, () => {
        for (const one of cases) declare(runner, subject, one, skips.get(one.name));
      });
    }
  });
}

function namesOf(cases: readonly ConformanceCase[]): string[] {
  return cases.map(({ name }) => name);
}

function declare(
  { test }: TestRunner,
  subject: ConformanceSubject,
  one: ConformanceCase,
  reason: string | undefined,
): void {
  const run = async () => runConformanceCase(one, subject.open);
  if (reason === undefined) test(one.name, run);
  else test.skip(`${one.name} (skipped: ${reason})`, run);
}
