import { join } from "node:path";
import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's example compiles, runs and prints what it should", async () => {
  const [example] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(example?.stdout).toBe(
    [
      "application/gzip",
      "3072",
      "ccb8f6b4b8daa3e5",
      "The source of 'LICENSE' gave fewer bytes than its size of 12 says.",
      "",
    ].join("\n"),
  );
});
