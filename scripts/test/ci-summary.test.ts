import { join } from "node:path";

import { expect, test } from "vitest";

import { runTool } from "../checks/tool.ts";
import { folderWith, repositoryRoot } from "./fixture.ts";

const passedFile = { status: "passed", assertionResults: [{}] };
const tests = {
  numPassedTests: 40,
  numFailedTests: 0,
  numPendingTests: 2,
  numTodoTests: 0,
  success: true,
  testResults: [passedFile],
};
const checks = { passed: 12, failed: 0, skipped: 0 };

/** What .ci/run says last, and whether it succeeds, after steps that left these reports. */
async function closingOf(
  reports: { readonly tests?: object; readonly checks?: object },
  status = "0",
): Promise<{ readonly line: string | undefined; readonly passed: boolean }> {
  const entries = Object.entries(reports).map(([name, json]) => [name, JSON.stringify(json)]);
  const folder = folderWith(Object.fromEntries(entries) as Record<string, string>);
  const script = join(repositoryRoot, "scripts/ci-summary.mjs");
  const { output, passed } = await runTool(folder, "node", [script, "tests", "checks", status]);
  return { line: output.split("\n").at(-1), passed };
}

test("the closing line adds tests and checks", async () => {
  const closing = await closingOf({ tests, checks });
  expect(closing).toEqual({ line: "52 passed, 0 failed, 2 skipped", passed: true });
});

test("a failed test and a failed check each count, and fail the run", async () => {
  const failing = { ...tests, numFailedTests: 3, success: false };
  const closing = await closingOf({ tests: failing, checks: { ...checks, failed: 1 } }, "1");
  expect(closing).toEqual({ line: "52 passed, 4 failed, 2 skipped", passed: false });
});

test("a test file that does not load counts as one failure", async () => {
  const broken = { status: "failed", assertionResults: [] };
  const failing = { ...tests, success: false, testResults: [passedFile, broken] };
  const closing = await closingOf({ tests: failing, checks }, "1");
  expect(closing).toEqual({ line: "52 passed, 1 failed, 2 skipped", passed: false });
});

test("an error outside every test counts as one failure", async () => {
  const closing = await closingOf({ tests: { ...tests, success: false }, checks }, "1");
  expect(closing).toEqual({ line: "52 passed, 1 failed, 2 skipped", passed: false });
});

test("a step that left no report counts as one failure", async () => {
  const closing = await closingOf({ checks }, "1");
  expect(closing).toEqual({ line: "12 passed, 1 failed, 0 skipped", passed: false });
});

test("a step that failed with good reports still fails the run", async () => {
  const closing = await closingOf({ tests, checks }, "1");
  expect(closing).toEqual({ line: "52 passed, 1 failed, 2 skipped", passed: false });
});
