import type { ContentAddress, DualDigest } from "@store/identity";

import type { Instance } from "../instance.ts";
import { findCopies } from "../queries/copies.ts";
import { objectInfo } from "../queries/readable-objects.ts";
import type { CopyRow } from "../queries/copies.ts";
import { selectDamaged } from "./rows.ts";
import type { BackendInfo, ObjectCopy, ObjectLocations } from "./types.ts";

/** Where an object is, as the instance knows it. */
export async function locate(instance: Instance, digest: DualDigest): Promise<ObjectLocations> {
  const object = objectInfo(digest);
  return { object, copies: await copiesOf(instance, object.address) };
}

async function copiesOf(instance: Instance, address: ContentAddress): Promise<ObjectCopy[]> {
  const rows = await findCopies(instance.database.reader, address);
  return rows
    .toSorted((one, other) => (one.backend < other.backend ? -1 : 1))
    .map((row) => objectCopy(instance, row));
}

/** A copy as callers see it. */
export function objectCopy({ placement }: Instance, row: CopyRow): ObjectCopy {
  return {
    backend: row.backend,
    configured: placement.backend(row.backend) !== undefined,
    storedAt: row.storedAt,
    status: row.status,
    ...(row.statusAt === null ? {} : { statusAt: row.statusAt }),
    tier: row.retrievalTier,
    restore: row.restoreStatus,
    ...(row.restoredUntil === null ? {} : { restoredUntil: row.restoredUntil }),
  };
}

/** The configured backends, in order of name. */
export async function listBackends({
  database: { reader, tables },
  placement,
}: Instance): Promise<BackendInfo[]> {
  const rows = await reader.select().from(tables.storageBackends);
  const counts = await selectDamaged({ sql: reader, tables });
  const damaged = new Map(counts.map(({ backend, count }) => [backend, Number(count)]));
  const known = new Map(rows.map((row) => [row.backend, row]));
  return placement.readOrder.toSorted().flatMap((name): BackendInfo[] => {
    const backend = placement.backend(name);
    if (backend === undefined) return [];
    const place = placement.place(name);
    const { status = "ok", reason = null, changedAt } = known.get(name) ?? {};
    return [
      {
        name,
        kind: backend.kind,
        ...(place === undefined ? {} : { place }),
        use: useOf(name),
        status,
        ...(reason === null ? {} : { reason }),
        ...(changedAt === undefined ? {} : { changedAt }),
        damagedCopies: damaged.get(name) ?? 0,
      },
    ];
  });

  function useOf(name: string): BackendInfo["use"] {
    if (name === placement.primary) return "primary";
    return placement.mirrors.includes(name) ? "mirror" : "other";
  }
}
