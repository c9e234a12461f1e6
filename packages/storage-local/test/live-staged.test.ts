import { expect, onTestFinished, test } from "vitest";

import { Program } from "./lib/program.ts";
import { newRoot } from "./lib/root-folder.ts";

test("staged bytes that wait in their file are forgotten with their holder, and resumed all the same", async () => {
  const program = new Program("forget-staged.ts", [await newRoot(onTestFinished)]);
  expect(await program.finished()).toEqual([{ isForgotten: true, sizeBytes: 70_000 }]);
});
