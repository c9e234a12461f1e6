import { readFileSync } from "node:fs";

import { storeErrorCodes } from "@store/identity";
import type { StoreErrorCode } from "@store/identity";
import { expect, test } from "vitest";

import { outcomeOf } from "../src/lib/exit-codes.ts";

test("docs/errors.md names the exit code that the command line answers each error with", () => {
  const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  const documented = Object.fromEntries(
    [...page.matchAll(/^\| `(\w+)`[^|]*\|[^|]*\| (\d+) /gm)].map(([, code, exit]) => [code, exit]),
  );
  const codes = Object.keys(storeErrorCodes) as StoreErrorCode[];
  expect(documented).toEqual(
    Object.fromEntries(codes.map((code) => [code, String(outcomeOf(code).exit)])),
  );
});
