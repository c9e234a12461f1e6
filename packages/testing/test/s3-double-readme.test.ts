import { join } from "node:path";
import { expect, test } from "vitest";
import { runReadmeExamples } from "../src/readme.ts";

test("the README's example compiles, runs and prints what it shall", async () => {
  const [example] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(example?.stdout).toBe(
    [
      "no answer",
      "PreconditionFailed",
      "not what was written",
      "[ 'PutObject 200', 'PutObject 412', 'GetObject 200' ]",
      "",
    ].join("\n"),
  );
});
