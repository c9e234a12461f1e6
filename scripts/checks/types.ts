import type { Check } from "./check.ts";
import { problemsOf } from "./tool.ts";

/** What is published compiles package by package; tests, scripts and benchmarks in one program. */
export const types: Check = {
  name: "types",
  async run(root) {
    const published = await problemsOf(root, "tsc", ["-b"]);
    if (published.length > 0) return published;
    return problemsOf(root, "tsc", ["-p", "tsconfig.check.json"]);
  },
};
