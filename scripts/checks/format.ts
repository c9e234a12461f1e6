import type { Check } from "./check.ts";
import { problemsOf } from "./tool.ts";

/** `pnpm run format` has nothing left to do. */
export const format: Check = {
  name: "format",
  run: (root) => problemsOf(root, "oxfmt", ["--check"]),
};
