import { isStoreError, StoreError, type ContentAddress } from "@store/identity";
import type { ObjectInspector, ObjectReader, ReadOptions } from "@store/storage";

import { isArchived, type CopyRow } from "../queries/copies.ts";
import { formatTime } from "../times.ts";
import { backendOf, type CopyContext } from "./context.ts";
import { inArchive } from "./examine.ts";
import { BackendFailure, failureAt, reachOf } from "./failure.ts";
import { recordFinding, recordRetrieval } from "./recording.ts";
import type { KnownObject } from "./rows.ts";

/**
 * The copies to copy from, in the order in which to try them: whole ones in read order, those whose
 * backend failed a moment ago, then those that were found damaged, which may be whole again. What
 * is read is held against the digests.
 */
export function sourcesOf(
  { instance: { clock, failing, placement } }: CopyContext,
  rows: readonly CopyRow[],
): { readonly readable: readonly CopyRow[]; readonly archived: readonly CopyRow[] } {
  const now = formatTime(clock());
  const ranked = rows
    .filter(({ backend }) => placement.backend(backend) !== undefined)
    .map((row) => ({ row, rank: rankOf(row) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ row }) => row);
  return {
    readable: ranked.filter((row) => !isArchived(row, now)),
    archived: ranked.filter((row) => row.status === "ok" && isArchived(row, now)),
  };

  function rankOf({ backend, status }: CopyRow): number {
    const { length } = placement.readOrder;
    const order = placement.readOrder.indexOf(backend);
    if (status !== "ok") return order + 2 * length;
    return failing.isAside(backend) ? order + length : order;
  }
}

/** A copy that is read to be copied; knows whether a failure was its own. */
export class SourceReader implements ObjectReader, ObjectInspector {
  readonly #context: CopyContext;
  readonly #row: CopyRow;
  #failure: unknown;

  constructor(context: CopyContext, row: CopyRow) {
    this.#context = context;
    this.#row = row;
  }

  get backend(): string {
    return this.#row.backend;
  }

  async stat(address: ContentAddress) {
    try {
      return await backendOf(this.#context.instance, this.backend).stat(address);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async *open(address: ContentAddress, options: ReadOptions): AsyncGenerator<Uint8Array> {
    try {
      yield* backendOf(this.#context.instance, this.backend).open(address, options);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Records that the copy was read whole, if that is news. */
  async readWhole(object: KnownObject): Promise<void> {
    const copy = { address: object.address, backend: this.backend };
    await recordFinding(this.#context.recorder, copy, this.#row, "ok");
  }

  /** The failure, if it was in reading this copy; records what it says of that. */
  async failed(object: KnownObject, error: unknown): Promise<BackendFailure | undefined> {
    const isWrong =
      isStoreError(error, "object_corrupt") || isStoreError(error, "object_not_found");
    if (!isWrong && error !== this.#failure) return undefined;
    const failure = failureAt(this.backend, error);
    if (!(failure instanceof BackendFailure)) return undefined;
    const { instance, recorder } = this.#context;
    if (reachOf(failure) !== "object") instance.failing.failed(this.backend);
    const copy = { address: object.address, backend: this.backend };
    const { code } = failure.failure;
    if (code === "object_not_found") await recordFinding(recorder, copy, this.#row, "missing");
    if (code === "object_corrupt") await recordFinding(recorder, copy, this.#row, "corrupt");
    if (code === "restore_required") await recordRetrieval(recorder, copy, inArchive, this.#row);
    return failure;
  }
}

/** Of what kept an object from being copied, that which somebody can do most about. */
export function mostTelling(
  object: KnownObject,
  to: string,
  failures: readonly BackendFailure[],
  archived: readonly CopyRow[],
): BackendFailure {
  const passing = failures.find((failure) => reachOf(failure) !== "object");
  if (passing !== undefined) return passing;
  const [locked] = archived;
  if (locked !== undefined) return new BackendFailure(locked.backend, restoreFirst(object, locked));
  return failures.find(isRestore) ?? failures[0] ?? new BackendFailure(to, noSource(object));
}

function isRestore({ failure }: BackendFailure): boolean {
  return failure.code === "restore_required";
}

function restoreFirst({ address }: KnownObject, { backend }: CopyRow): StoreError {
  return new StoreError(
    "restore_required",
    `The only whole copies of ${address} lie in an archive. Restore that at ${backend} and try again.`,
    { context: { reference: address } },
  );
}

function noSource({ address }: KnownObject): StoreError {
  return new StoreError(
    "object_not_found",
    `No configured backend has a whole copy of ${address} to copy from. Restore it from a backup.`,
    { context: { reference: address } },
  );
}
