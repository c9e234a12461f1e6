// Sums the reports of `npm test` and of the repository checks and prints the closing line of
// .ci/run. Plain JavaScript: it also speaks where the installation failed and Node is an old one.
// Usage: node scripts/ci-summary.mjs <vitest report> <checks report> <exit status of the steps>
import { readFileSync } from "node:fs";

const [testsFile, checksFile, status] = process.argv.slice(2);
const steps = [
  { name: "tests", counts: countTests(read(testsFile)) },
  { name: "checks", counts: read(checksFile) ?? nothing() },
];
const total = { passed: 0, failed: 0, skipped: 0 };

console.log("\n== Summary");
for (const { name, counts } of steps) {
  console.log(`${name.padEnd(8)}${format(counts)}`);
  for (const key of ["passed", "failed", "skipped"]) total[key] += counts[key];
}
// A step that failed without a failed test or check still fails the run.
if (status !== "0" && total.failed === 0) total.failed = 1;
console.log(format(total));
process.exitCode = total.failed === 0 ? 0 : 1;

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** A step without a report did not get that far: one failure. */
function nothing() {
  return { passed: 0, failed: 1, skipped: 0 };
}

function countTests(report) {
  if (report === undefined) return nothing();
  // A file that does not load has no tests to count.
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    // An error outside every test leaves the counts alone and `success` false.
    failed: failed === 0 && !report.success ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function format({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
