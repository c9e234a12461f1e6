import { readFileSync } from "node:fs";

import { storeErrorCodes } from "@store/identity";
import type { StoreErrorCode } from "@store/identity";
import { httpStatusOf } from "@store/server";
import { expect, test } from "vitest";

import { outcomeOf } from "../src/lib/exit-codes.ts";

const codes = Object.keys(storeErrorCodes) as StoreErrorCode[];

/** The codes of the page, each with the figures of its row: exit code, HTTP status. */
function documented(): Record<string, readonly number[]> {
  const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  const rows = page.matchAll(/^\| `(\w+)`[^|]*\|[^|]*\| (\d+) *\| (\d+) *\|/gm);
  return Object.fromEntries(
    [...rows].map(([, code, exit, status]) => [code, [Number(exit), Number(status)]]),
  );
}

test("docs/errors.md names the exit code and the HTTP status that answer each error", () => {
  expect(documented()).toEqual(
    Object.fromEntries(codes.map((code) => [code, [outcomeOf(code).exit, httpStatusOf(code)]])),
  );
});
