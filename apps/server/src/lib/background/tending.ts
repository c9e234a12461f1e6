import type { Registry } from "@store/registry";

import type { Log } from "../log.ts";
import type { BackgroundJob } from "./leading.ts";

/** How long a copy may be late at a mirror to which nothing else keeps it from. */
const tendEveryMs = 2_000;

/**
 * Brings mirrors up to what is new, looks whether backends that failed answer again, and whether
 * what was asked from an archive has come.
 */
export function tending(
  registry: Pick<Registry, "tendCopies">,
  log: Log | undefined,
): BackgroundJob {
  const told = new Set<string>();
  /** By name, since when: a backend that fails is told of once, also where it has recovered since. */
  let failing = new Map<string, string>();
  return {
    name: "tending copies",
    intervalMs: tendEveryMs,
    async round(signal) {
      const report = await registry.tendCopies({ signal });
      for (const { name: backend, reason, changedAt: since } of report.failed) {
        if (failing.get(backend) !== since)
          log?.error("a backend failed", undefined, { backend, reason, since });
      }
      failing = new Map(report.failed.map(({ name, changedAt }) => [name, changedAt]));
      for (const backend of report.recovered) log?.info("a backend recovered", { backend });
      // The same problem comes back in every round; it is told when it is new.
      const now = new Set(report.problems.map(({ backend, code }) => `${backend} ${code}`));
      for (const { backend, code, message } of report.problems) {
        const key = `${backend} ${code}`;
        if (told.has(key)) continue;
        told.add(key);
        log?.info("a copy could not be made", { backend, code, message });
      }
      for (const key of told) if (!now.has(key)) told.delete(key);
      return report.more;
    },
  };
}
