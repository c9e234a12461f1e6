import type { Check } from "./check.ts";
import { problemsOf } from "./tool.ts";

const options = [
  "--type-aware",
  "--deny-warnings",
  "--quiet",
  // One form wherever it runs: the default one changes with the terminal and in CI.
  "--format=unix",
  // The rules are the repository's, and not those that a dependency brings with it.
  "--disable-nested-config",
];

/** oxlint with the type-aware rules of .oxlintrc.json. */
export const lint: Check = {
  name: "lint",
  run: (root) => problemsOf(root, "oxlint", options),
};
