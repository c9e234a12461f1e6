import type { Instance } from "../instance.ts";
import { copyContext, type CopyContext } from "./context.ts";
import { healthInTime } from "./endurance.ts";
import { recordRecovered } from "./recording.ts";
import { Tally } from "./tally.ts";
import { tendMirror } from "./tend-mirror.ts";
import { tendRestores } from "./tend-restores.ts";
import type { FailedBackend, TendReport } from "./types.ts";

/** One bounded round of background work; what one backend fails at does not keep the others from theirs. */
export async function tendCopies(
  instance: Instance,
  actor: string,
  signal: AbortSignal,
): Promise<TendReport> {
  const context = copyContext(instance, actor, signal);
  const { mirrors, readOrder } = instance.placement;
  const tally = new Tally();
  const { failed, recovered } = await tendFailed(context);
  let retrievalsChanged = 0;
  let hasMore = false;
  for (const name of readOrder) {
    signal.throwIfAborted();
    const { changed, more } = await tendRestores(context, name);
    retrievalsChanged += changed;
    hasMore ||= more;
  }
  for (const name of mirrors) {
    signal.throwIfAborted();
    if (await tendMirror(context, name, tally)) hasMore = true;
  }
  const { changed: copied, sizeBytes, problemCount } = tally.counts;
  return {
    copied,
    sizeBytes,
    retrievalsChanged,
    failed,
    recovered,
    problemCount,
    problems: tally.takeProblems(),
    more: hasMore,
  };
}

/** Asks the backends that failed how they are; which had failed, and the names of those that recovered. */
async function tendFailed({
  instance,
  recorder,
}: CopyContext): Promise<Pick<TendReport, "failed" | "recovered">> {
  const { database, placement } = instance;
  const rows = await database.reader.select().from(database.tables.storageBackends);
  const failed: FailedBackend[] = [];
  const recovered: string[] = [];
  for (const { backend: name, status, reason, changedAt } of rows) {
    const backend = placement.backend(name);
    if (status === "ok" || backend === undefined) continue;
    failed.push({ name, ...(reason === null ? {} : { reason }), changedAt });
    if (!(await healthInTime(backend)).healthy) continue;
    if ((await recordRecovered(recorder, name)) === "recorded") recovered.push(name);
  }
  return { failed, recovered };
}
