import { join } from "node:path";

import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's example compiles, runs and prints what it should", async () => {
  const [example] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(example?.stdout).toBe("true\nThis needs the scope write:acme/app.\n");
});
