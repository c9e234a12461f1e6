import { randomUUID } from "node:crypto";

import type { Sql, Tables } from "@store/database";
import type { ContentAddress } from "@store/identity";
import { and, eq, gte, lt } from "drizzle-orm";

import type { Leases, ObjectLease } from "../leases.ts";
import type { CopyName } from "./recording.ts";

/**
 * Leases on single copies, by which writing one and removing it keep out of each other's way, and
 * nobody relies on a copy that is about to go. The id begins with what is done and where; no name
 * of a backend holds a colon.
 */
type Deed = "copy" | "removal";

interface View {
  readonly sql: Sql;
  readonly tables: Tables;
  readonly now: string;
}

/**
 * Leases the writing of a copy, and its object; `known` says whether the instance knows that.
 * Undefined while the copy is being removed.
 */
export function takeCopy(
  leases: Leases,
  { address, backend }: CopyName,
  now: string,
): Promise<{ readonly lease: ObjectLease; readonly known: boolean } | undefined> {
  return leases.takeUnless(`copy:${backend}:${randomUUID()}`, address, async (tx) => {
    return (await findRemovals({ ...tx, now }, address, [backend])).length > 0;
  });
}

/**
 * Says, in a transaction, that a copy is about to be removed: from then on nobody may take it for
 * one that stays, or write it. False while somebody writes it. Several may remove the same copy,
 * each with a claim of his own; `holder` is the process's lease.
 */
export async function claimRemoval(
  leases: Leases,
  view: View,
  copy: CopyName,
  holder: string,
): Promise<boolean> {
  if ((await findBackends(view, "copy", copy.address)).has(copy.backend)) return false;
  await leases.takeWith(view.sql, removalClaim(copy, holder), holder);
  return true;
}

/** Ends one's own claim, in the transaction that records the removal. */
export async function endRemoval(
  { sql, tables: { objectLeases: t } }: View,
  copy: CopyName,
  holder: string,
): Promise<void> {
  const { id, address } = removalClaim(copy, holder);
  await sql.delete(t).where(and(eq(t.leaseId, id), eq(t.contentAddress, address)));
}

/** Those of the backends that an object is being removed from. */
export async function findRemovals(
  view: View,
  address: ContentAddress,
  backends: readonly string[],
): Promise<string[]> {
  const removing = await findBackends(view, "removal", address);
  return backends.filter((backend) => removing.has(backend));
}

/** The lease by which a process claims the removal of a copy. */
export function removalClaim({ address, backend }: CopyName, holder: string): ObjectLease {
  return { id: `removal:${backend}:${holder}`, address };
}

/** The backends where something is done to an object's copy now. */
async function findBackends(
  { sql, tables: { objectLeases: t }, now }: View,
  deed: Deed,
  address: ContentAddress,
): Promise<ReadonlySet<string>> {
  const rows = await sql
    .select({ leaseId: t.leaseId, expiresAt: t.expiresAt })
    .from(t)
    // All ids that begin with the deed and a colon, which a semicolon follows.
    .where(
      and(gte(t.leaseId, `${deed}:`), lt(t.leaseId, `${deed};`), eq(t.contentAddress, address)),
    );
  const living = rows.filter(({ expiresAt }) => expiresAt > now);
  return new Set(living.map(({ leaseId }) => leaseId.split(":")[1] ?? ""));
}
