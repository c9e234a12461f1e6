import type { Check } from "./check.ts";
import { problemsOf } from "./tool.ts";

/** What is published compiles package by package; tests, scripts and benchmarks in one program. */
export const types: Check = {
  name: "types",
  run: (root) => problemsOf(root, "tsc", ["-b"]),
};
