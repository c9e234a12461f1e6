import { isStoreError, StoreError, type ContentAddress } from "@store/identity";
import {
  verifyObject,
  type ObjectRetrieval,
  type ObjectStat,
  type StorageBackend,
} from "@store/storage";

import type { Instance } from "../instance.ts";
import type { ObjectLease } from "../leases.ts";
import { findCopies, findCopy, isArchived, type CopyRow } from "../queries/copies.ts";
import { isLocked } from "../retrieval.ts";
import { formatTime } from "../times.ts";
import { noteFailure } from "./findings.ts";
import type { SizedObject } from "./reading.ts";
import { reportFinding, reportWhole } from "./reports.ts";

/** What looking for whole copies uses. */
export type AdmittingInstance = Pick<
  Instance,
  "actor" | "clock" | "database" | "failing" | "leases" | "log" | "placement" | "reports"
>;

/** A copy that is recorded, or may be there without that. */
type KnownCopy = CopyRow | { readonly backend: string; readonly status: "ok" };

/** Where a copy stands that is whole as far as is known, and how it can be read: at once unless said. */
interface PresentCopy {
  readonly backend: string;
  readonly retrieval: ObjectRetrieval | undefined;
}

/** What is to be done with an object whose bytes are at hand. */
export type Admission =
  | { readonly present: string }
  /** Nothing is in the way of a commit any more; `mending` is given back once it is recorded. */
  | { readonly present: undefined; readonly mending: ObjectLease | undefined };

/**
 * Says whether an object that is known has to be written to `target`. It has not where a whole copy
 * stands there, or can be read elsewhere while none is recorded there. A recorded copy that is
 * missing or corrupt is taken away, for the bytes to be written anew.
 */
export async function admitKnown(
  instance: AdmittingInstance,
  object: SizedObject,
  target: string,
): Promise<Admission> {
  const rows = await findCopies(instance.database.reader, object.address);
  const own = rows.find(({ backend }) => backend === target);
  if (own !== undefined) {
    if (await isWhole(instance, object, own)) return { present: target };
    return mend(instance, object, target);
  }
  const now = formatTime(instance.clock());
  const readable = rows.filter((row) => !isArchived(row, now));
  const { present } = await firstThere(instance, object, readable, instance.placement.readOrder);
  return present === undefined ? { present, mending: undefined } : { present: present.backend };
}

/**
 * A copy of the object that stands and is whole as far as is known: at `preferred`, where it may be
 * without being recorded yet, or at the next in read order.
 */
export async function findPresent(
  instance: AdmittingInstance,
  object: SizedObject,
  preferred: string,
): Promise<PresentCopy | undefined> {
  const rows = await findCopies(instance.database.reader, object.address);
  const isRecorded = rows.some(({ backend }) => backend === preferred);
  const unrecorded: KnownCopy[] = isRecorded ? [] : [{ backend: preferred, status: "ok" }];
  const { present, failure } = await firstThere(
    instance,
    object,
    [...unrecorded, ...rows],
    [preferred, ...instance.placement.readOrder],
  );
  if (present === undefined && failure !== undefined) throw failure;
  return present;
}

/**
 * Takes what is damaged away, unless somebody else has made it whole meanwhile, or it never was:
 * whatever wrote the bytes anew may fail, and a copy that was not there for a moment be the only one.
 */
async function mend(
  instance: AdmittingInstance,
  object: SizedObject,
  target: string,
): Promise<Admission> {
  const { database, leases, placement } = instance;
  const { address } = object;
  const mending = await takeMending(instance, address);
  try {
    const row = await findCopy(database.reader, address, target);
    if (row !== undefined && (await isWhole(instance, object, row))) {
      await leases.giveBack(mending);
      return { present: target };
    }
    const backend = placement.backend(target);
    if (backend !== undefined && (await isSound(backend, object))) {
      await reportWhole(instance, { address, backend: target });
      await leases.giveBack(mending);
      return { present: target };
    }
    await backend?.remove(address);
    return { present: undefined, mending };
  } catch (error) {
    await leases.giveBack(mending);
    throw error;
  }
}

/** Whether what stands there is the object, byte by byte; in an archive nobody can say so. */
async function isSound(backend: StorageBackend, object: SizedObject): Promise<boolean> {
  const { address, sizeBytes } = object;
  const stat = await backend.stat(address);
  if (stat?.sizeBytes !== sizeBytes || isLocked(stat.retrieval)) return false;
  try {
    return (await verifyObject(backend, address)).status === "ok";
  } catch (error) {
    if (isStoreError(error, "restore_required")) return false;
    throw error;
  }
}

/** Where the first of the copies is, in the order given; else what kept it from being found out. */
async function firstThere(
  instance: AdmittingInstance,
  object: SizedObject,
  copies: readonly KnownCopy[],
  order: readonly string[],
): Promise<{ readonly present: PresentCopy | undefined; readonly failure?: StoreError }> {
  let failure: StoreError | undefined;
  for (const name of order) {
    const copy = copies.find(({ backend }) => backend === name);
    if (copy === undefined) continue;
    try {
      const stat = await wholeStat(instance, object, copy);
      if (stat !== undefined) return { present: { backend: name, retrieval: stat.retrieval } };
    } catch (error) {
      noteFailure(instance, { address: object.address, backend: name }, error);
      if (!isStoreError(error)) throw error;
      failure ??= error;
    }
  }
  return { present: undefined, ...(failure === undefined ? {} : { failure }) };
}

async function isWhole(
  instance: AdmittingInstance,
  object: SizedObject,
  copy: KnownCopy,
): Promise<boolean> {
  return (await wholeStat(instance, object, copy)) !== undefined;
}

/**
 * What a backend says of a copy that is recorded as whole, and is there with the right size. Reports
 * one that is not what is recorded, or that has gone into an archive.
 */
async function wholeStat(
  instance: AdmittingInstance,
  { address, sizeBytes }: SizedObject,
  copy: KnownCopy,
): Promise<ObjectStat | undefined> {
  const { backend: name, status } = copy;
  const backend = instance.placement.backend(name);
  if (status !== "ok" || backend === undefined) return undefined;
  const seenAt = formatTime(instance.clock());
  const stat = await backend.stat(address);
  const seen = "storedAt" in copy ? copy : undefined;
  const found = { address, backend: name, seenAt, seen };
  if (stat?.sizeBytes === sizeBytes) {
    if (isLocked(stat.retrieval)) instance.reports.archived(found);
    return stat;
  }
  const finding = stat === undefined ? "missing" : "corrupt";
  await reportFinding(instance, { ...found, finding });
  return undefined;
}

const askAgainMs = 50;
const patienceMs = 30_000;

/** One at a time writes a damaged copy anew: another would take away what was just written. */
async function takeMending(
  { leases }: AdmittingInstance,
  address: ContentAddress,
): Promise<ObjectLease> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += askAgainMs) {
    const mending = await leases.takeMending(address);
    if (mending !== undefined) return mending;
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
  throw new StoreError(
    "storage_unavailable",
    `Another process has been writing the damaged object ${address} anew for ${patienceMs} ms. ` +
      "Send the bytes again later.",
    { context: { reference: address } },
  );
}
