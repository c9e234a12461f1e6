import type { ContentAddress } from "@store/identity";
import { serveCopies, type ServedObject, type StoredCopy } from "@store/storage";

import type { FoundCopy } from "../commands/copies.ts";
import type { Instance } from "../instance.ts";
import { findCopies, isArchived, type CopyRow } from "../queries/copies.ts";
import { formatTime } from "../times.ts";
import type { ReadContentOptions } from "../types.ts";
import { noteFailure } from "./findings.ts";

/** An object whose size is recorded. */
export interface SizedObject {
  readonly address: ContentAddress;
  readonly sizeBytes: number;
}

/** What reading an object uses. */
export type ReadingInstance = Pick<
  Instance,
  "clock" | "database" | "failing" | "placement" | "primary" | "reports" | "smallObjects"
>;

/**
 * Opens an object, or a range of it, from the first copy that can be read, and goes on with the
 * next where one fails. What is found out about copies and backends on the way is reported.
 *
 * With one backend nothing is looked up: it has the object, or nobody has.
 */
export async function readObject(
  instance: ReadingInstance,
  object: SizedObject,
  given: ReadContentOptions,
): Promise<ServedObject> {
  const { placement, smallObjects } = instance;
  const { address, sizeBytes } = object;
  const { range, signal, reuseChunks } = given;
  const options = {
    sizeBytes,
    ...(range === undefined ? {} : { range }),
    ...(signal === undefined ? {} : { signal }),
    ...(reuseChunks === undefined ? {} : { reuseChunks }),
  };
  if (placement.readOrder.length === 1) return readOnly(instance, address, options);
  return smallObjects.serveFrom(address, options, async () => {
    const { copies, observer } = await findReadable(instance, address);
    return serveCopies(address, copies, { ...options, observer });
  });
}

async function readOnly(
  instance: ReadingInstance,
  address: ContentAddress,
  options: ReadContentOptions & { readonly sizeBytes: number },
): Promise<ServedObject> {
  const { clock, placement, primary, smallObjects } = instance;
  const began = clock();
  const onFailure = (failure: unknown): void => {
    const found = { address, backend: placement.primary, seenAt: formatTime(began) };
    noteFailure(instance, found, failure);
  };
  try {
    return await smallObjects.serve(primary, address, { ...options, onFailure });
  } catch (failure) {
    onFailure(failure);
    throw failure;
  }
}

/**
 * The copies of an object in the order in which to try them, the backends whose copies were found
 * damaged, and who hears what comes of it.
 */
export async function findReadable(instance: ReadingInstance, address: ContentAddress) {
  const { clock, database, failing, reports } = instance;
  const seenAt = formatTime(clock());
  const rows = await findCopies(database.reader, address);
  const foundAt = (backend: string): FoundCopy => {
    const seen = rows.find((row) => row.backend === backend);
    return { address, backend, seenAt, seen };
  };
  const damaged = new Set(rows.filter(({ status }) => status !== "ok").map((row) => row.backend));
  const observer = {
    onRead(backend: string, isWhole: boolean): void {
      failing.answered(backend);
      if (isWhole && damaged.has(backend)) reports.whole(foundAt(backend));
    },
    onFailure(backend: string, failure: unknown): void {
      noteFailure(instance, foundAt(backend), failure);
    },
  };
  return { copies: inReadOrder(instance, rows, seenAt), damaged, observer };
}

/**
 * Whole copies first, then those whose backend failed a moment ago, then damaged ones, and those
 * in an archive last. An object of which no copy is known at any backend that there is, such as one
 * that was uploaded and is no package's yet, may be at any of them.
 */
function inReadOrder(
  { failing, placement }: Pick<Instance, "failing" | "placement">,
  rows: readonly CopyRow[],
  now: string,
): StoredCopy[] {
  const known = new Map(rows.map((row) => [row.backend, row]));
  const isKnown = placement.readOrder.some((name) => known.has(name));
  const ranked: { readonly rank: number; readonly copy: StoredCopy }[] = [];
  for (const name of placement.readOrder) {
    const reader = placement.backend(name);
    const row = known.get(name);
    if (reader === undefined || (row === undefined && isKnown)) continue;
    const rank = rankOf(row, now) + (failing.isAside(name) ? 0.5 : 0);
    ranked.push({ rank, copy: { name, reader } });
  }
  return ranked.toSorted((one, other) => one.rank - other.rank).map(({ copy }) => copy);
}

function rankOf(row: CopyRow | undefined, now: string): number {
  if (row === undefined) return 0;
  if (isArchived(row, now)) return 2;
  return row.status === "ok" ? 0 : 1;
}
