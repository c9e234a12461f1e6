import { join } from "node:path";

import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's example compiles, serves and is ready", async () => {
  const [example] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(example?.stdout).toBe("200 ready\n");
});
