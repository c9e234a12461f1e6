// Runs the repository checks, all of them or those that are named: `pnpm run check lint types`.
// `--report <file>` also writes the counts as JSON.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { changesets } from "./checks/changesets.ts";
import type { Check } from "./checks/check.ts";
import { dependencyDirection } from "./checks/dependency-direction.ts";
import { documentLinks } from "./checks/document-links.ts";
import { errorCodes } from "./checks/error-codes.ts";
import { format } from "./checks/format.ts";
import { immutableMigrations } from "./checks/immutable-migrations.ts";
import { lint } from "./checks/lint.ts";
import { machinePaths } from "./checks/machine-paths.ts";
import { packageMetadata } from "./checks/package-metadata.ts";
import { tarballs } from "./checks/tarballs.ts";
import { types } from "./checks/types.ts";
import { unused } from "./checks/unused.ts";

const checks: readonly Check[] = [
  types,
  lint,
  format,
  dependencyDirection,
  packageMetadata,
  errorCodes,
  documentLinks,
  immutableMigrations,
  machinePaths,
  unused,
  changesets,
  tarballs,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { report: { type: "string" } },
});
const chosen = checks.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
if (chosen.length === 0) {
  console.error(`No check is named so; there are: ${checks.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const root = resolve(import.meta.dirname, "..");
let failed = 0;
for (const check of chosen) {
  const start = performance.now();
  const problems = await runOf(check);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? "✓" : "✗"} ${check.name.padEnd(24)} ${seconds} s`);
  for (const problem of problems) console.log(problem.replace(/^/gm, "    "));
  if (problems.length > 0) failed += 1;
}
const passed = chosen.length - failed;
console.log(`${passed} checks passed, ${failed} failed`);
if (values.report !== undefined) {
  writeFileSync(values.report, JSON.stringify({ passed, failed, skipped: 0 }));
}
process.exitCode = failed === 0 ? 0 : 1;

/** A check that throws has failed; the others still run. */
async function runOf(check: Check): Promise<readonly string[]> {
  try {
    return await check.run(root);
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}
