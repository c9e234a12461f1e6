import type { StorageBackend } from "@store/storage";
import { isStoreError } from "@store/identity";
import { and, asc, eq, gt, lte } from "drizzle-orm";

import { abandonPackage } from "../commands/package.ts";
import { runCommand, type CommandRunner } from "../commands/run.ts";
import { sweepLeases } from "../leases.ts";
import type { SweepReport } from "../types.ts";

/** Packages that one round of the sweep lets lapse. */
const lapsesPerRound = 100;

/**
 * Discards what nobody holds any more: staged bytes whose process lease has expired, open packages
 * whose time is over, and idempotency keys that are too old. What a living process has staged is
 * safe, since it renews its lease.
 */
export async function sweep(
  instance: CommandRunner & { readonly backends: readonly StorageBackend[] },
  actor: string,
  now: string,
): Promise<SweepReport> {
  const staged = await stagedBytes(instance.backends);
  // Leases are read after the staged bytes: whoever staged them held a lease before.
  const leases = await sweepLeases(instance.database, now);
  let stagedDiscarded = 0;
  let discardedBytes = 0;
  for (const { backend, id, lease, sizeBytes } of staged) {
    if (leases.alive.has(lease)) continue;
    await backend.discardStaged(id);
    stagedDiscarded += 1;
    discardedBytes += sizeBytes;
  }
  return {
    stagedDiscarded,
    stagedBytes: discardedBytes,
    leasesRemoved: leases.removed,
    packagesExpired: await lapsePackages(instance, actor, now),
    idempotencyKeysRemoved: await forgetIdempotencyKeys(instance, now),
  };
}

async function stagedBytes(backends: readonly StorageBackend[]) {
  const found = [];
  for (const backend of backends) {
    for await (const staged of backend.listStaged()) found.push({ backend, ...staged });
  }
  return found;
}

async function lapsePackages(instance: CommandRunner, actor: string, now: string): Promise<number> {
  const { artifactPackages: t } = instance.database.tables;
  let lapsed = 0;
  let after = "";
  for (;;) {
    const rows = await instance.database.reader
      .select({ packageId: t.packageId })
      .from(t)
      .where(and(eq(t.status, "open"), lte(t.openExpiresAt, now), gt(t.packageId, after)))
      .orderBy(asc(t.packageId))
      .limit(lapsesPerRound);
    const results = await Promise.all(
      rows.map(({ packageId }) => lapsePackage(instance, actor, packageId)),
    );
    lapsed += results.filter(Boolean).length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < lapsesPerRound) return lapsed;
    after = last.packageId;
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

async function forgetIdempotencyKeys(instance: CommandRunner, now: string): Promise<number> {
  return instance.database.write(async ({ sql, tables: { idempotencyKeys: t } }) => {
    const removed = await sql.delete(t).where(lte(t.expiresAt, now)).returning({ key: t.key });
    return removed.length;
  });
}
