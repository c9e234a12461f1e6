import { join } from "node:path";

import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's examples compile, run and print what they say", async () => {
  const [first, second] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(first?.stdout).toBe(
    [
      "1 acme/app:stable",
      "not today",
      "{ tag: 'stable', version: '1.2.0' }",
      "1 v1.tag.set ada",
      "1 32",
      "",
    ].join("\n"),
  );
  expect(second?.stdout).toBe("1 []\n");
});
