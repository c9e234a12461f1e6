import type { StagedStat, StorageBackend } from "@store/storage";
import { isStoreError } from "@store/identity";
import { lte, sql as raw } from "drizzle-orm";

import { abandonPackage } from "../commands/package.ts";
import { runCommand, type CommandRunner } from "../commands/run.ts";
import type { Instance } from "../instance.ts";
import { sweepLeases } from "../leases.ts";
import { packageKey, selectPackages } from "../queries/packages.ts";
import { formatTime } from "../times.ts";
import { sweepUploads } from "../uploads/records.ts";
import type { SweepReport } from "./types.ts";

/** Packages or keys that one round of the sweep takes, so that others' commands come between. */
const perRound = 100;

interface StagedBytes extends StagedStat {
  readonly backend: StorageBackend;
}

/**
 * Discards what nobody holds any more: staged bytes whose process lease has expired, open packages
 * whose time is over, uploads that expired, and idempotency keys that are too old. What a living
 * process has staged is safe, since it renews its lease, and so is what an upload has that has not
 * expired. A backend or a package that fails does not keep the rest from being swept; the first
 * failure is thrown at the end.
 */
export async function sweep(instance: Instance, actor: string): Promise<SweepReport> {
  const now = formatTime(instance.clock());
  const failures: unknown[] = [];
  const attempt = <T>(step: Promise<T>, otherwise: T): Promise<T> =>
    step.catch((error: unknown) => {
      failures.push(error);
      return otherwise;
    });
  const staged: StagedBytes[] = [];
  for (const backend of Object.values(instance.backends)) {
    staged.push(...(await attempt(stagedIn(backend), [])));
  }
  // Leases are read after the staged bytes: whoever staged them held a lease before.
  const leases = await sweepLeases(instance.database, now);
  let stagedDiscarded = 0;
  let stagedBytes = 0;
  for (const { backend, id, lease, sizeBytes } of staged) {
    if (leases.alive.has(lease)) continue;
    const discarding = backend.discardStaged(id).then(() => true);
    if (!(await attempt(discarding, false))) continue;
    stagedDiscarded += 1;
    stagedBytes += sizeBytes;
  }
  const report = {
    stagedDiscarded,
    stagedBytes,
    leasesRemoved: leases.removed,
    packagesExpired: await attempt(lapsePackages(instance, actor, now), 0),
    idempotencyKeysRemoved: await attempt(forgetIdempotencyKeys(instance, now), 0),
    uploadsExpired: await attempt(sweepUploads(instance, now), 0),
  };
  if (failures.length > 0) throw failures[0];
  return report;
}

async function stagedIn(backend: StorageBackend): Promise<StagedBytes[]> {
  const found: StagedBytes[] = [];
  for await (const staged of backend.listStaged()) found.push({ backend, ...staged });
  return found;
}

async function lapsePackages(instance: CommandRunner, actor: string, now: string): Promise<number> {
  const { reader, tables } = instance.database;
  const filter = { status: "open", openUntil: now } as const;
  let lapsed = 0;
  let after: ReturnType<typeof packageKey> | undefined;
  for (;;) {
    const rows = await selectPackages(reader, tables, filter, { after, limit: perRound });
    const lapsing = rows.map(({ packageId }) => lapsePackage(instance, actor, packageId));
    lapsed += (await Promise.all(lapsing)).filter(Boolean).length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < perRound) return lapsed;
    after = packageKey(last);
  }
}

/** Whether the package lapsed: a held one stays, and one that was just finalized is no longer open. */
async function lapsePackage(
  instance: CommandRunner,
  actor: string,
  packageId: string,
): Promise<boolean> {
  try {
    return await runCommand(instance, actor, abandonPackage(packageId, "lapsed"));
  } catch (error) {
    if (isStoreError(error, "hold_conflict") || isStoreError(error, "package_finalized")) {
      return false;
    }
    throw error;
  }
}

async function forgetIdempotencyKeys({ database }: CommandRunner, now: string): Promise<number> {
  let removed = 0;
  for (;;) {
    const { changes } = await database.write(async ({ sql, tables: { idempotencyKeys: t } }) => {
      const expired = sql
        .select({ actor: t.actor, key: t.key })
        .from(t)
        .where(lte(t.expiresAt, now))
        .limit(perRound);
      return await sql.delete(t).where(raw`(${t.actor}, ${t.key}) in ${expired}`);
    });
    removed += changes;
    if (changes < perRound) return removed;
  }
}
