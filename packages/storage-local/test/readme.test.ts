import { join } from "node:path";
import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's examples compile, run and print what they say", async () => {
  const [first, second] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(first?.stdout).toBe(
    [
      "{",
      "  address: 'blake3:d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24',",
      "  sizeBytes: 11",
      "}",
      "world",
      "11",
      "true",
      "",
    ].join("\n"),
  );
  expect(second?.stdout).toBe("6\n6\n");
});
