import type { Check } from "./check.ts";
import { problemsOf } from "./tool.ts";

/** No file, export or dependency that nothing uses, and no import that is not declared. */
export const unused: Check = {
  name: "unused code (knip)",
  run: (root) => problemsOf(root, "knip", ["--no-progress", "--no-config-hints"]),
};
