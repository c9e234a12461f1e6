import { join } from "node:path";
import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's example compiles, runs and prints what it says", async () => {
  const [first] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(first?.stdout).toBe(
    ["GET /api/v1/packages/{packageId} read", "3.1.1", "user:ada", ""].join("\n"),
  );
});
