import type { Instance } from "../instance.ts";
import type { HealthReport } from "./types.ts";

/** How long one part may take to say how it is. */
const deadlineMs = 5_000;

/**
 * Tries the database, the log's head and every backend for real; never throws. Healthy is what can
 * take and give objects: with its primary backend it can, and mirrors that fail are caught up later.
 */
export async function checkHealth(instance: Instance): Promise<HealthReport> {
  const [database, log, backends] = await Promise.all([
    databaseHealth(instance),
    logHealth(instance),
    backendsHealth(instance),
  ]);
  const primary = backends[instance.placement.primary];
  const healthy = database.healthy && log.healthy && primary?.healthy === true;
  return { healthy, database, log, backends };
}

async function databaseHealth({ database }: Instance): Promise<HealthReport["database"]> {
  const { dialect } = database;
  return answerInTime<HealthReport["database"]>(
    async () => {
      await database.health();
      return { dialect, healthy: true };
    },
    (reason) => ({ dialect, healthy: false, reason }),
  );
}

async function logHealth({ log }: Instance): Promise<HealthReport["log"]> {
  return answerInTime<HealthReport["log"]>(
    async () => {
      const { size, root } = await log.head();
      return { healthy: true, size, root: Buffer.from(root).toString("hex") };
    },
    (reason) => ({ healthy: false, size: 0, root: "", reason }),
  );
}

async function backendsHealth({ backends }: Instance): Promise<HealthReport["backends"]> {
  const reports = await Promise.all(
    Object.entries(backends).map(async ([role, backend]) => {
      const { kind } = backend;
      const report = await answerInTime<HealthReport["backends"][string]>(
        async () => ({ kind, ...(await backend.health()) }),
        (reason) => ({ kind, healthy: false, reason }),
      );
      return [role, report] as const;
    }),
  );
  return Object.fromEntries(reports);
}

/** What `ask` answers, or what `failed` makes of its error or its silence. */
async function answerInTime<T>(ask: () => Promise<T>, failed: (reason: string) => T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(failed(`No answer within ${deadlineMs} ms.`)), deadlineMs);
  try {
    const answer = ask().catch((error: unknown) =>
      failed(error instanceof Error ? error.message : String(error)),
    );
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
