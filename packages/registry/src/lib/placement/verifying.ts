import { isStoreError, type ContentAddress, type StoreError } from "@store/identity";
import { verifyObject, type VerifyOptions, type VerifyOutcome } from "@store/storage";

import type { Instance } from "../instance.ts";
import { findCopies, findDamaged, type CopyRow } from "../queries/copies.ts";
import { formatTime } from "../times.ts";
import { noteFailure } from "./findings.ts";
import { reportFinding, reportWhole } from "./reports.ts";

type BadOutcome = Exclude<VerifyOutcome, { status: "ok" }>;

/** A copy that is not whole; without its backend where no other copy is either. */
export interface BadCopy {
  readonly backend: string | undefined;
  readonly outcome: BadOutcome;
}

/** Gives the copies of an object that are not whole. */
type VerifyCopies = (
  address: ContentAddress,
  options: Pick<VerifyOptions, "expect" | "signal">,
) => Promise<BadCopy[]>;

/** Where a copy should be, and whether it is known to be missing or corrupt. */
interface Place {
  readonly name: string;
  readonly isDoubted: boolean;
  /** What is recorded of it, where that was looked up. */
  readonly seen?: CopyRow | undefined;
}

/**
 * Makes what reads every copy of an object whole, at all backends that are configured, and reports
 * what it finds before it answers. A copy in an archive cannot be read, and is left out while another
 * is whole; one whose backend fails is left out likewise. Where nothing is whole, that failure is
 * thrown. With one backend nothing is looked up for each object.
 */
export async function copyVerifier(instance: Instance): Promise<VerifyCopies> {
  const { database, placement } = instance;
  const { primary, readOrder } = placement;
  if (readOrder.length > 1) {
    return async (address, options) =>
      verifyAt(instance, await placesOf(instance, address), address, options);
  }
  const damaged = await findDamaged(database.reader, primary);
  return (address, options) =>
    verifyAt(instance, [{ name: primary, isDoubted: damaged.has(address) }], address, options);
}

async function verifyAt(
  instance: Instance,
  places: readonly Place[],
  address: ContentAddress,
  options: Pick<VerifyOptions, "expect" | "signal">,
): Promise<BadCopy[]> {
  const { clock } = instance;
  const bad: { backend: string; outcome: BadOutcome }[] = [];
  let wholeCount = 0;
  let failure: StoreError | undefined;
  for (const { name, isDoubted, seen } of places) {
    const found = { address, backend: name, seenAt: formatTime(clock()), seen };
    try {
      const outcome = await verifyOne(instance, name, address, options);
      if (outcome.status !== "ok") {
        bad.push({ backend: name, outcome });
        await reportFinding(instance, { ...found, finding: outcome.status });
        continue;
      }
      wholeCount += 1;
      if (isDoubted) await reportWhole(instance, found);
    } catch (error) {
      if (!isStoreError(error) || !isOfOneBackend(error)) throw error;
      noteFailure(instance, found, error);
      failure ??= error;
    }
  }
  if (wholeCount > 0) return bad;
  if (failure !== undefined) throw failure;
  // The object is lost as a whole: of several findings the first in read order tells it.
  return bad.slice(0, 1).map(({ outcome }) => ({ backend: undefined, outcome }));
}

async function verifyOne(
  { placement }: Instance,
  name: string,
  address: ContentAddress,
  options: Pick<VerifyOptions, "expect" | "signal">,
): Promise<VerifyOutcome> {
  const backend = placement.backend(name);
  return backend === undefined ? { status: "missing" } : verifyObject(backend, address, options);
}

/**
 * The backends that are said to hold the object, in read order. Where the instance knows of no copy,
 * it is the primary that should have it.
 */
async function placesOf(
  { database, placement }: Instance,
  address: ContentAddress,
): Promise<Place[]> {
  const rows = new Map<string, CopyRow>();
  for (const row of await findCopies(database.reader, address)) rows.set(row.backend, row);
  const known = placement.readOrder.filter((name) => rows.has(name));
  const names = known.length === 0 ? [placement.primary] : known;
  return names.map((name) => {
    const seen = rows.get(name);
    return { name, isDoubted: (seen?.status ?? "ok") !== "ok", seen };
  });
}

function isOfOneBackend({ code }: StoreError): boolean {
  return (
    code === "storage_unavailable" || code === "permission_denied" || code === "restore_required"
  );
}
