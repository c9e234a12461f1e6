import type { HealthReport, Registry } from "@store/registry";

const deadlineMs = 10_000;
/** A check writes to every backend, and whoever reaches the server may ask for one. */
const freshMs = 1_000;

/** Whether the instance can work, and if not, why: one sentence for each part that fails. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** Absent where the checks as a whole did not answer. */
  readonly report?: HealthReport;
}

/**
 * Asks the registry for its health, with a deadline. Callers that come while a check is under way
 * share it, so that probes do not pile up before a part that hangs, and so do those who come soon
 * after one that found all well.
 */
export function createReadiness(
  registry: Pick<Registry, "health">,
  options: { readonly deadlineMs?: number; readonly freshMs?: number } = {},
): () => Promise<Readiness> {
  const limitMs = options.deadlineMs ?? deadlineMs;
  const keptMs = options.freshMs ?? freshMs;
  let underWay: Promise<HealthReport> | undefined;
  let foundWellMs = -Infinity;
  const check = async (): Promise<HealthReport> => {
    const report = await registry.health();
    foundWellMs = report.healthy ? performance.now() : -Infinity;
    return report;
  };
  return async () => {
    if (performance.now() - foundWellMs < keptMs) return { ready: true, reasons: [] };
    underWay ??= check().finally(() => {
      underWay = undefined;
    });
    return await withDeadline(underWay, limitMs);
  };
}

async function withDeadline(check: Promise<HealthReport>, limitMs: number): Promise<Readiness> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), limitMs);
  try {
    const report = await Promise.race([check, late]);
    if (report === undefined) {
      return { ready: false, reasons: [`The checks did not end within ${limitMs} ms.`] };
    }
    return { ready: report.healthy, reasons: reasonsOf(report), report };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ready: false, reasons: [`The checks failed: ${reason}`] };
  } finally {
    clearTimeout(timer);
  }
}

function reasonsOf(report: HealthReport): string[] {
  const parts = [
    { name: "The database", ...report.database },
    { name: "The log", ...report.log },
    ...Object.entries(report.backends).map(([role, health]) => ({
      name: `The backend '${role}'`,
      ...health,
    })),
  ];
  return parts
    .filter((part) => !part.healthy)
    .map((part) => `${part.name} is not ready: ${part.reason ?? "no reason was given"}`);
}
