import { StoreError } from "@store/identity";
import { removeObject } from "@store/storage";

import type { Instance } from "../instance.ts";
import type { Leases, ObjectLease } from "../leases.ts";
import { findCopies, findCopy, isArchived, type CopyRow } from "../queries/copies.ts";
import { formatTime } from "../times.ts";
import { apartFrom } from "./apart.ts";
import { claimRemoval, endRemoval, findRemovals, removalClaim } from "./claims.ts";
import { backendOf, type CopyContext } from "./context.ts";
import { copyObject } from "./copy-object.ts";
import { examineCopy } from "./examine.ts";
import { at, BackendFailure } from "./failure.ts";
import { recordRemoved, type Outcome } from "./recording.ts";
import { countRows, knownObject, selectCopiesAt, type KnownObject } from "./rows.ts";
import type { Stop, VisitTools, Walk } from "./walk.ts";

type Claim = "claimed" | "refused" | "gone";

/** Throws unless a backend is another place than the one that is emptied. */
type AssertApart = ReturnType<typeof apartFrom>;

interface Leaving extends Stop {
  readonly object: KnownObject;
  readonly copy: CopyRow;
}

/**
 * Every copy at a backend is removed from it, once another was read and found whole, or made.
 *
 * The bytes go first and the record follows: killed between, the instance knows of a copy that is
 * not there, which reads pass over and the same work finds again. The other way about, bytes would
 * stay that nobody knows of. Before either, the removal is claimed in a transaction that sees the
 * other copy stay: of two backends that are emptied at once, neither relies on the other.
 */
export function evacuation(
  { database }: Instance,
  { from, to }: { readonly from: string; readonly to: string },
): Walk<Leaving> {
  const place = { sql: database.reader, tables: database.tables };
  const assertApart = apartFrom(from);
  return {
    name: `evacuate:${from}:${to}`,
    count: () => countRows(place, from),

    page: async (page) => {
      const rows = await selectCopiesAt(place, from, page);
      const stops = rows.map((row): Leaving => {
        const object = knownObject(row.object);
        return { address: object.address, isLast: true, object, copy: row.copy };
      });
      const next = rows.length < page.limit ? undefined : stops.at(-1)?.address;
      return { stops, ...(next === undefined ? {} : { next }) };
    },

    visit: async (context, stop, tools) => {
      let claimed = await keepAnother(context, stop, to, { ...tools, assertApart });
      if (claimed === "refused") {
        await assertApart(context, to);
        await copyAway(context, stop, to, tools);
        claimed = await claim(context, stop, to);
      }
      const { address, copy } = stop;
      if (claimed === "claimed") await remove(context, stop, tools);
      if (claimed === "refused") {
        tools.tally.problem({ address, backend: copy.backend }, notKept(stop, to));
      }
    },
  };
}

/** Claims the removal of a copy once another was read whole. */
async function keepAnother(
  context: CopyContext,
  stop: Leaving,
  to: string,
  { tally, endurance, assertApart }: VisitTools & { readonly assertApart: AssertApart },
): Promise<Claim> {
  const { instance } = context;
  for (const other of await othersOf(instance, stop, to)) {
    try {
      const { found, outcome, readBytes } = await examineCopy(context, stop.object, other);
      endurance.succeededAt(other.backend);
      tally.add({ sizeBytes: readBytes, changed: outcome === "recorded" ? 1 : 0 });
      if (found !== "ok") continue;
      await assertApart(context, other.backend);
      const claimed = await claim(context, stop, other.backend);
      if (claimed !== "refused") return claimed;
    } catch (error) {
      // Another may do, and a copy at the target does in the end.
      if (!(error instanceof BackendFailure) || error.backend === to) throw error;
    }
  }
  return "refused";
}

/** The copies that may stay, that at the target first. */
async function othersOf(
  { clock, database, placement }: Instance,
  { address, copy }: Leaving,
  to: string,
): Promise<CopyRow[]> {
  const now = formatTime(clock());
  const rows = await findCopies(database.reader, address);
  return [...new Set([to, ...placement.readOrder])].flatMap((name) =>
    rows.filter((row) => {
      const isOther = row.backend === name && name !== copy.backend;
      return isOther && row.status === "ok" && !isArchived(row, now);
    }),
  );
}

async function copyAway(
  context: CopyContext,
  { object }: Leaving,
  to: string,
  { tally, endurance }: VisitTools,
): Promise<void> {
  const rows = await findCopies(context.instance.database.reader, object.address);
  const target = rows.find(({ backend }) => backend === to);
  const { outcome, readBytes, isProven } = await copyObject(context, {
    object,
    to,
    damaged: target?.status === "ok" ? undefined : target,
    others: rows.filter(({ backend }) => backend !== to),
  });
  endurance.succeededAt(to);
  const copied = outcome === "recorded" ? 1 : 0;
  tally.add({ sizeBytes: readBytes, changed: copied, copied });
  if (!isProven) throw new BackendFailure(to, unread(object, to));
}

/**
 * Claims that a copy is about to be removed while another stays. `refused` where that one is
 * damaged by now, gone, or about to be removed itself; `gone` where there is nothing to remove.
 */
async function claim(
  { instance }: CopyContext,
  { address, copy }: Leaving,
  keeper: string,
): Promise<Claim> {
  const { clock, database, leases } = instance;
  const leaving = { address, backend: copy.backend };
  const holder = await leases.process();
  const claiming = database.write(async ({ sql, tables }): Promise<Claim> => {
    const view = { sql, tables, now: formatTime(clock()) };
    if ((await findCopy(sql, address, copy.backend)) === undefined) return "gone";
    const kept = await findCopy(sql, address, keeper);
    const isLeaving = (await findRemovals(view, address, [keeper])).length > 0;
    if (kept?.status !== "ok" || isLeaving) return "refused";
    return (await claimRemoval(leases, view, leaving, holder)) ? "claimed" : "refused";
  });
  return orRunOut(leases, removalClaim(leaving, holder), claiming);
}

/** Where it fails, a claim that may stand, and whose removal may be under way, ends by its time. */
async function orRunOut<T>(leases: Leases, claimed: ObjectLease, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await leases.letRunOut(claimed);
    throw error;
  }
}

async function remove(
  { instance, recorder }: CopyContext,
  { address, copy }: Leaving,
  { tally, endurance }: VisitTools,
): Promise<void> {
  const { leases } = instance;
  const { backend } = copy;
  const name = { address, backend };
  const holder = await leases.process();
  const removing = async (): Promise<Outcome> => {
    await at(backend, removeObject(backendOf(instance, backend), address));
    endurance.succeededAt(backend);
    return recordRemoved(recorder, name, (view) => endRemoval(view, name, holder));
  };
  const outcome = await orRunOut(leases, removalClaim(name, holder), removing());
  const removed = outcome === "recorded" ? 1 : 0;
  tally.add({ changed: removed, removed });
}

function notKept({ address, copy }: Leaving, to: string): StoreError {
  return new StoreError(
    "precondition_failed",
    `${address} stays at ${copy.backend}: it is being written there, or its copy at ${to} is ` +
      "about to be removed too. Let the other work come to its end, and try again.",
    { context: { reference: address } },
  );
}

function unread({ address }: KnownObject, to: string): StoreError {
  return new StoreError(
    "restore_required",
    `The copy of ${address} at ${to} lies in an archive and cannot be read to prove it whole. ` +
      `Restore it there, or evacuate to another backend.`,
    { context: { reference: address } },
  );
}
