import { readFileSync } from "node:fs";
import { join } from "node:path";

import { storeErrorCodes } from "@store/identity";

import type { Check } from "./check.ts";

/** One row of the tables in docs/errors.md. */
export interface ErrorRow {
  readonly code: string;
  readonly meaning: string;
  readonly exitCode: string;
  readonly httpStatus: string;
  readonly remedy: string;
}

/** Reads the rows whose first cell is a code: `| \`code\` | meaning | exit | status | remedy |`. */
export function parseErrorRows(markdown: string): readonly ErrorRow[] {
  return markdown.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    const code = /^`([a-z0-9_]+)`$/.exec(cells[1] ?? "")?.[1];
    if (code === undefined) return [];
    const [meaning = "", exitCode = "", httpStatus = "", remedy = ""] = cells.slice(2);
    return [{ code, meaning, exitCode, httpStatus, remedy }];
  });
}

/** Finds codes without a row, rows without a code, and rows that say something else. */
export function findErrorCodeProblems(
  rows: readonly ErrorRow[],
  meanings: Readonly<Record<string, string>>,
): readonly string[] {
  const where = "docs/errors.md";
  const documented = rows.map(({ code }) => code);
  const missing = Object.keys(meanings)
    .filter((code) => !documented.includes(code))
    .map((code) => `${where}: ${code} has no row`);
  const repeated = documented
    .filter((code, index) => documented.indexOf(code) !== index)
    .map((code) => `${where}: ${code} has two rows`);

  const wrong = rows.flatMap(({ code, meaning, exitCode, httpStatus, remedy }) => {
    if (!(code in meanings)) return [`${where}: ${code} is not one of storeErrorCodes`];
    const problems: string[] = [];
    if (meaning !== meanings[code]) {
      problems.push(`${where}: ${code} means "${meanings[code]}", not "${meaning}"`);
    }
    if (!/^(?:[1-7]|130)$/.test(exitCode)) {
      problems.push(`${where}: ${code} has exit code "${exitCode}", not 1 to 7 or 130`);
    }
    if (!/^[45]\d\d$/.test(httpStatus)) {
      problems.push(`${where}: ${code} has HTTP status "${httpStatus}", not one of 4xx or 5xx`);
    }
    if (remedy === "") problems.push(`${where}: ${code} does not say what to do`);
    return problems;
  });
  return [...missing, ...repeated, ...wrong];
}

/** docs/errors.md against the closed union, both ways. */
export const errorCodes: Check = {
  name: "documented error codes",
  run(root) {
    const rows = parseErrorRows(readFileSync(join(root, "docs/errors.md"), "utf8"));
    return Promise.resolve(findErrorCodeProblems(rows, storeErrorCodes));
  },
};
