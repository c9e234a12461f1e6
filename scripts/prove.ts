// Runs the tests at their whole size and prints what each proof did. Arguments go to vitest, so
// `pnpm run prove packages/events` proves one package.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

interface AccountLine {
  readonly name: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "store-prove-"));
const accountFile = join(folder, "account.jsonl");
const vitest = join(root, "node_modules/vitest/vitest.mjs");

const start = performance.now();
const { status } = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, STORE_PROVE: "1", STORE_PROVE_ACCOUNT: accountFile },
});
const minutes = ((performance.now() - start) / 60_000).toFixed(1);

console.log(`\n${formatAccount(readAccount())}`);
console.log(`\n${status === 0 ? "All proofs hold" : "A proof failed"} (${minutes} min)`);
rmSync(folder, { recursive: true });
process.exitCode = status ?? 1;

function readAccount(): readonly AccountLine[] {
  if (!existsSync(accountFile)) return [];
  const lines = readFileSync(accountFile, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as AccountLine);
}

function formatAccount(lines: readonly AccountLine[]): string {
  if (lines.length === 0) return "No proof gave an account of itself.";
  const width = Math.max(...lines.map(({ name }) => name.length));
  return lines
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, facts }) => {
      const listed = Object.entries(facts).map(([fact, value]) => `${fact} ${formatFact(value)}`);
      return `${name.padEnd(width)}  ${listed.join(", ")}`;
    })
    .join("\n");
}

function formatFact(value: string | number | boolean): string {
  return typeof value === "number" ? value.toLocaleString("en-GB") : String(value);
}
