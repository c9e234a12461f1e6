import type { Check } from "./check.ts";
import { problemsOf } from "./tool.ts";

/** oxlint with the type-aware rules of .oxlintrc.json. */
export const lint: Check = {
  name: "lint",
  // One form wherever it runs: the default one changes with the terminal and in CI.
  run: (root) =>
    problemsOf(root, "oxlint", ["--type-aware", "--deny-warnings", "--quiet", "--format=unix"]),
};
