import picomatch from "picomatch";

import { UsageError } from "./usage-error.ts";

/**
 * Whether a path of the package is left out. A pattern with a `/` is matched against the whole path,
 * one without against each name at any depth; what matches a folder leaves out all that it holds.
 * `*` also matches names that begin with a dot.
 */
export function createExclusion(patterns: readonly string[]): (path: string) => boolean {
  const matchers = patterns.map((pattern) => {
    const trimmed = pattern.replace(/\/+$/, "");
    const anchored = trimmed.replace(/^\.?\/+/, "");
    if (anchored === "") {
      throw new UsageError(
        `--exclude '${pattern}' would leave out everything.`,
        "Give a name or a pattern, like --exclude '*.log' or --exclude build/cache.",
      );
    }
    return picomatch(anchored, { dot: true, basename: !trimmed.includes("/") });
  });
  return (path) => matchers.some((matches) => matches(path));
}
