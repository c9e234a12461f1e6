import type { Check } from "./check.ts";
import { problemsOf } from "./tool.ts";

/** oxlint with the type-aware rules of .oxlintrc.json. */
export const lint: Check = {
  name: "lint",
  run: (root) => problemsOf(root, "oxlint", ["--type-aware", "--deny-warnings", "--quiet"]),
};
