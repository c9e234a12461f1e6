import { isStoreError, type ContentAddress, type StoreError } from "@store/identity";
import { verifyObject, type VerifyOptions, type VerifyOutcome } from "@store/storage";

import type { Instance } from "../instance.ts";
import { findCopies, type CopyRow } from "../queries/copies.ts";
import { formatTime } from "../times.ts";
import { noteFailure } from "./findings.ts";
import { reportFinding, reportWhole } from "./reports.ts";

type BadOutcome = Exclude<VerifyOutcome, { status: "ok" }>;

/** A copy that is not whole; without its backend where no other copy is either. */
export interface BadCopy {
  readonly backend: string | undefined;
  readonly outcome: BadOutcome;
}

/**
 * Reads every copy of an object whole, at all backends that are configured, and reports what it
 * finds before it answers. A copy in an archive cannot be read, and is left out while another is whole; one backend
 * that fails is left out likewise. Where nothing is whole, that failure is thrown.
 */
export async function verifyCopies(
  instance: Instance,
  address: ContentAddress,
  options: Pick<VerifyOptions, "expect" | "signal">,
): Promise<BadCopy[]> {
  const { clock } = instance;
  const bad: { backend: string; outcome: BadOutcome }[] = [];
  let wholeCount = 0;
  let failure: StoreError | undefined;
  for (const { name, isDoubted } of await copiesOf(instance, address)) {
    const found = { address, backend: name, seenAt: formatTime(clock()) };
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
 * The backends that are said to hold the object, in read order. One alone has it, or nobody has;
 * of several the instance may know of no copy, and then it is the primary that should have it.
 */
async function copiesOf(
  { database, placement }: Instance,
  address: ContentAddress,
): Promise<{ readonly name: string; readonly isDoubted: boolean }[]> {
  const rows = new Map<string, CopyRow>();
  for (const row of await findCopies(database.reader, address)) rows.set(row.backend, row);
  const known = placement.readOrder.filter((name) => rows.has(name));
  const names = known.length === 0 ? [placement.primary] : known;
  return names.map((name) => ({ name, isDoubted: (rows.get(name)?.status ?? "ok") !== "ok" }));
}

function isOfOneBackend({ code }: StoreError): boolean {
  return (
    code === "storage_unavailable" || code === "permission_denied" || code === "restore_required"
  );
}
