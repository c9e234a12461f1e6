import { join } from "node:path";
import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's example compiles, runs and prints what it says", async () => {
  const [example] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(example?.stdout).toBe(
    [
      "{ status: 'fulfilled', value: { changes: 1 } } rejected",
      "[ { by: 'ada' } ]",
      "[ { by: 'ada' } ]",
      "",
    ].join("\n"),
  );
});
