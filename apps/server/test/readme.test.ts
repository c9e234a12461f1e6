import { join } from "node:path";

import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's examples compile, serve and say what they say", async () => {
  const [example, mounted] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(example?.stdout).toBe("200 ready\n");
  expect(mounted?.stdout).toBe('mine\n{"status":"ok"}\n');
});
