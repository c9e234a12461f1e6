import { isStoreError, StoreError } from "@store/identity";
import { replicateObject, type StorageBackend } from "@store/storage";

import type { View } from "../commands/decision.ts";
import type { ObjectLease } from "../leases.ts";
import type { CopyRow } from "../queries/copies.ts";
import { isLocked } from "../retrieval.ts";
import { formatTime } from "../times.ts";
import { takeCopy } from "./claims.ts";
import { backendOf, type CopyContext } from "./context.ts";
import { readCopy } from "./examine.ts";
import { at, BackendFailure, failureAt } from "./failure.ts";
import { recordCopied, type Outcome } from "./recording.ts";
import { selectRetentionClass, type KnownObject } from "./rows.ts";
import { mostTelling, SourceReader, sourcesOf } from "./sources.ts";

/** An object that a backend is to have a whole copy of. */
export interface CopyOrder {
  readonly object: KnownObject;
  readonly to: string;
  /** The damaged copy that stands there, as far as is known; undefined for none. */
  readonly damaged: CopyRow | undefined;
  /** The object's copies at other backends. */
  readonly others: readonly CopyRow[];
}

export interface CopyMade {
  readonly outcome: Outcome;
  /** Bytes that were read of the object: from its source, or of what stood in the target. */
  readonly readBytes: number;
  /** Whether its bytes were held against the digests just now; in an archive they cannot be. */
  readonly isProven: boolean;
}

/**
 * Sees to it that a backend has a whole copy of an object, and records that. What stands there is
 * read; a damaged copy is replaced only once another's bytes were read and found right. Throws a
 * {@link BackendFailure}.
 *
 * The address is leased until the copy is recorded. Killed before that, it leaves staged bytes, or
 * an object that nothing refers to, which the same order finds.
 */
export async function copyObject(context: CopyContext, order: CopyOrder): Promise<CopyMade> {
  const { clock, leases } = context.instance;
  const copy = { address: order.object.address, backend: order.to };
  const taken = await takeCopy(leases, copy, formatTime(clock()));
  if (taken === undefined) throw inHand(order, "is being removed");
  const { lease, known } = taken;
  const copying = new Copying(context, order, lease);
  try {
    // Not known any more: nothing refers to it.
    return known ? await copying.run() : { outcome: "moved", readBytes: 0, isProven: false };
  } finally {
    await copying.end();
  }
}

/** Where the bytes of the target come from. */
interface Whole {
  readonly from: string;
  readonly wasWritten: boolean;
}

class Copying {
  readonly #context: CopyContext;
  readonly #order: CopyOrder;
  readonly #target: StorageBackend;
  readonly #leases: Set<ObjectLease>;
  #replaces: boolean;
  #readBytes = 0;
  #isProven = true;

  constructor(context: CopyContext, order: CopyOrder, lease: ObjectLease) {
    this.#context = context;
    this.#order = order;
    this.#target = backendOf(context.instance, order.to);
    this.#leases = new Set([lease]);
    this.#replaces = order.damaged !== undefined;
  }

  async run(): Promise<CopyMade> {
    const { object, others, to } = this.#order;
    const isThere = this.#replaces && (await this.#isWhole());
    const found = { from: others[0]?.backend ?? to, wasWritten: false };
    const whole = isThere ? found : await this.#fromSources();
    const retrieval = this.#target.capabilities.restores
      ? (await at(to, this.#target.stat(object.address)))?.retrieval
      : undefined;
    const outcome = await this.#record({ ...whole, retrieval });
    return { outcome, readBytes: this.#readBytes, isProven: this.#isProven };
  }

  async end(): Promise<void> {
    const { leases } = this.#context.instance;
    for (const lease of this.#leases) await leases.giveBack(lease);
  }

  async #record(made: Omit<Parameters<typeof recordCopied>[2], "also">): Promise<Outcome> {
    const { instance, recorder } = this.#context;
    const { object, to } = this.#order;
    const also = async ({ sql }: View): Promise<void> => {
      for (const lease of this.#leases) await instance.leases.giveBackWith(sql, lease);
    };
    try {
      const copy = { address: object.address, backend: to };
      const outcome = await recordCopied(recorder, copy, { ...made, also });
      this.#leases.clear();
      return outcome;
    } catch (error) {
      // Stopped for longer than leases last: the object is for the next to look at.
      if (isStoreError(error, "staged_not_found")) throw new BackendFailure(to, error);
      throw error;
    }
  }

  async #fromSources(): Promise<Whole> {
    const { object, others, to } = this.#order;
    const { readable, archived } = sourcesOf(this.#context, others);
    const failures: BackendFailure[] = [];
    for (const row of readable) {
      const source = new SourceReader(this.#context, row);
      try {
        const wasWritten = await this.#transfer(source);
        if (wasWritten) await source.readWhole(object);
        return { from: row.backend, wasWritten };
      } catch (error) {
        const failure = await source.failed(object, error);
        if (failure === undefined) throw failureAt(to, error);
        failures.push(failure);
      }
    }
    throw mostTelling(object, to, failures, archived);
  }

  /** Whether the source's bytes were written; else what stands in the target is whole. */
  async #transfer(source: SourceReader): Promise<boolean> {
    if (!this.#replaces) {
      const isWritten = await this.#write(source);
      if (isWritten || (await this.#isWhole())) return isWritten;
      this.#replaces = true;
    }
    return this.#write(source);
  }

  /** False where something stands in the target, and was left. */
  async #write(source: SourceReader): Promise<boolean> {
    const { instance, signal } = this.#context;
    const { address, sha256, sizeBytes } = this.#order.object;
    const { reader: sql, tables } = instance.database;
    const [row] = await selectRetentionClass({ sql, tables }, address);
    try {
      const { existed } = await replicateObject(source, this.#target, address, {
        lease: await instance.leases.process(),
        signal,
        sha256,
        ...row,
        ...(this.#replaces ? { replace: () => this.#makeWay() } : {}),
      });
      if (!existed) this.#readBytes += sizeBytes;
      return !existed;
    } catch (error) {
      if (!this.#replaces && isStoreError(error, "size_mismatch")) return false;
      throw error;
    }
  }

  /** One at a time writes a damaged copy anew: another would take away what was just written. */
  async #makeWay(): Promise<boolean> {
    const { address } = this.#order.object;
    const mending = await this.#context.instance.leases.takeMending(address);
    if (mending === undefined) throw inHand(this.#order, "is being written anew");
    this.#leases.add(mending);
    return !(await this.#isWhole());
  }

  /** Whether what stands in the target is the object. In an archive its size has to do. */
  async #isWhole(): Promise<boolean> {
    const { object, to, damaged } = this.#order;
    const stat = await at(to, this.#target.stat(object.address));
    if (stat === undefined) return false;
    if (isLocked(stat.retrieval)) {
      this.#isProven = false;
      return damaged === undefined && stat.sizeBytes === object.sizeBytes;
    }
    const { found, readBytes } = await readCopy(this.#context, object, to);
    this.#readBytes += readBytes;
    return found === "ok";
  }
}

function inHand({ object: { address }, to }: CopyOrder, how: string): BackendFailure {
  const message =
    `The copy of ${address} at ${to} ${how} by another process, or was until that ended a moment ` +
    "ago. Try again in some minutes.";
  const context = { reference: address };
  return new BackendFailure(to, new StoreError("precondition_failed", message, { context }));
}
